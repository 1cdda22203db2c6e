package doctor

import (
	"context"
	"fmt"
	"net"
)

// roles checks what the routers are for, without asking them.
func (r *run) roles() {
	if len(r.cfg.Routers) > 0 {
		r.start(checkRoles, "", func(context.Context) []Result { return judgeRoles(r.cfg.Routers, r.cfg.Others) })
	}
}

func judgeRoles(routers []Router, others bool) []Result {
	results := twice(routers)
	members, publishers := 0, 0
	for _, router := range routers {
		if router.Member {
			members++
		}
		if router.Publisher {
			publishers++
		}
		if router.Member && router.Publisher && len(routers) > 1 {
			results = append(results, bad("both-roles", router.Name, "it is member and publisher")...)
		}
	}
	if !others {
		results = append(results, missing(members, publishers)...)
	}
	if len(results) == 0 {
		return good(checkRoles, "", fmt.Sprintf("members: %d, publishers: %d", members, publishers))
	}
	return results
}

func missing(members, publishers int) (results []Result) {
	switch members {
	case 0:
		results = bad("no-member", "", "no router is a member")
	case 1:
		results = bad("single-member", "", "one router is a member")
	}
	if publishers == 0 {
		results = append(results, bad("no-publisher", "", "no router is a publisher")...)
	}
	return results
}

// twice finds entries that are one router.
func twice(routers []Router) (results []Result) {
	first := map[string]string{}
	for _, router := range routers {
		place := place(router.Addr)
		if other, ok := first[place]; ok {
			results = append(results, bad("router-twice", router.Name, fmt.Sprintf("it has the address of %s, %s", other, router.Addr))...)
			continue
		}
		first[place] = router.Name
	}
	return results
}

// place is addr with one name for the loopback's usual names.
func place(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && (host == "localhost" || host == "::1") {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// Package doctor is what "onelease doctor" runs: checks of a setup, before it runs and while
// it does, each of which says what is wrong and what to do.
//
//	report := doctor.Run(ctx, doctor.Config{Keys: []string{"site.dat"}, Routers: routers})
//	for _, r := range report.Results {
//		fmt.Println(r.State, r.Check, r.On, r.Found, r.Cure)
//	}
//
// What is checked, and what there is to find, are data: Table. docs/troubleshooting.md is
// made from it, and a test plants each fault.
//
// It changes nothing: it opens throwaway Destinations on routers, and no session with the
// keys of the operator's. So it cannot tell what a stock router does not tell a client: the
// leases in the netDB, or which machine put them there. Such a result is Unknown, and says
// so. It is no monitor either: that is what a running node's status is for.
package doctor

// Package catalog is a directory of the plugins that an operator has registered:
// their programs, what these must hash to, and how each is run.
//
//	c, err := catalog.Create("/var/lib/onelease/plugins")
//	e, err := c.Add(catalog.Entry{Name: "site", Version: "1.2"}, "./site")
//	held, err := c.Acquire("site") // what a Supervisor does at each start
//
// The directory has catalog.toml, which lists the plugins, and each program as a copy
// under a name of its own content, as site-0123456789abcdef.plugin. So a plugin
// is replaced at once and whole, and its old program stays for as long as something runs
// it: who does holds a shared lock on the file, also over restarts.
//
// It is not a store for secrets, and no protection from those who may write to it: whoever
// can is whom Onelease runs programs for. Hence it must be ours or root's, and
// nobody else may write to it; so must what it names.
package catalog

// Package admin is the address at which an operator watches a node: its metrics, whether
// it is ready, its status, and profiles. Each role says what there is to see in a
// Snapshot; what its metrics are called and mean is in one table, of which docs/metrics.md
// is made. Nothing can be changed here, and nothing is told of remotes or users.
//
//	endpoint, err := admin.Open(admin.Config{Listen: "127.0.0.1:7680"})
//	defer endpoint.Serve(func() *admin.Snapshot { ... })()
//
// It is for the commands only: no package that applications link imports it.
package admin

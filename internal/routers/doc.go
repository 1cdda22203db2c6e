// Package routers is what an operator says of a router, by a --router or in the file of a
// role: where its I2CP is, what it is for, and how it reads the option not to publish. The
// commands that have routers of their own share it.
package routers

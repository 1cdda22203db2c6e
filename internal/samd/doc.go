// Package samd is what "onelease sam" runs: a SAM bridge on routers of the operator's,
// made from a file or flags. It is not the bridge itself, which programs link: that is
// package plugins/sambridge.
package samd

//go:build !linux

package cluster_test

import "testing"

func runTests(m *testing.M) int { return m.Run() }

package streaming

import (
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// AwaitRead returns for data, for an end, for an error and at a deadline, and Read does
// not wait then.
func TestAwaitRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(1)
		x, y := w.add(t, Config{}), w.add(t, Config{})
		ln, err := y.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		out, err := x.Dial(t.Context(), y.remote, 0, 80)
		if err != nil {
			t.Fatal(err)
		}
		in, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		arrived := make(chan struct{})
		await := func() {
			out.AwaitRead()
			arrived <- struct{}{}
		}
		for what, do := range map[string]func(){
			"data":     func() { in.Write([]byte("x")) },
			"deadline": func() { out.SetReadDeadline(time.Now()) },
		} {
			go await()
			synctest.Wait()
			select {
			case <-arrived:
				t.Fatalf("before %s", what)
			default:
			}
			do()
			<-arrived
			out.SetReadDeadline(time.Time{})
			if what == "data" {
				out.Read(make([]byte, 1))
			}
		}
		go await()
		in.Close()
		<-arrived
		if n, err := out.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d, %v", n, err)
		}
		out.Reset()
		go await()
		<-arrived
		x.Close()
		y.Close()
		synctest.Wait()
	})
}

package cluster_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// diskSize is that of the disk that is filled, in bytes.
const diskSize = "16m"

// fullDisk moves a balancer's log to a small disk and fills that, for a while.
func (w *siege) fullDisk(p *process) {
	w.t.Helper()
	led := p == w.leader()
	dir := filepath.Join(p.cfg.Dir, "raft")
	p.stop()
	if err := moveToDisk(dir); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = unix.Unmount(dir, 0) }) // fails if all went well
	p.start()
	w.settle()
	if led {
		w.until(formTime, "the lead is handed back", func() bool { return p == w.leads() || w.handOver(p) == nil })
		w.settle()
	}
	before, began := w.history.last(), time.Now()
	full := filepath.Join(dir, "full")
	if err := fill(full); err != nil {
		w.t.Fatal(err)
	}
	w.until(time.Minute, "the balancer notices that its disk is full", func() bool {
		return p.logged("no space left")
	})
	w.during(cutTime())
	w.ops.setPolicy()
	if led {
		w.succeeded(before, began)
	}
	w.t.Logf("with its disk full the balancer runs: %v", p.running())
	if err := os.Remove(full); err != nil {
		w.t.Fatal(err)
	}
	p.stop()
	if err := moveFromDisk(dir); err != nil {
		w.t.Fatal(err)
	}
	p.start()
}

// moveToDisk mounts a small disk over dir, with what is in dir.
func moveToDisk(dir string) error {
	old := dir + ".old"
	if err := errors.Join(os.Rename(dir, old), os.Mkdir(dir, 0o700)); err != nil {
		return err
	}
	if err := unix.Mount("balancer", dir, "tmpfs", 0, "size="+diskSize+",mode=0700"); err != nil {
		return err
	}
	return errors.Join(copyTree(dir, old), os.RemoveAll(old))
}

// moveFromDisk is moveToDisk the other way.
func moveFromDisk(dir string) error {
	next := dir + ".new"
	if err := copyTree(next, dir); err != nil {
		return err
	}
	return errors.Join(unix.Unmount(dir, 0), os.Remove(dir), os.Rename(next, dir))
}

// copyTree leaves holes where there is nothing: room that a file has it need not
// ask the disk for.
func copyTree(to, from string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, path[len(from):])
		if d.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return writeHoled(target, b)
	})
}

func writeHoled(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	const page = 4096
	for at := 0; at < len(b); at += page {
		part := b[at:min(at+page, len(b))]
		if bytes.Count(part, []byte{0}) == len(part) {
			continue
		}
		if _, err := f.WriteAt(part, int64(at)); err != nil {
			return err
		}
	}
	return f.Truncate(int64(len(b)))
}

// fill writes until there is no room.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(f, zeros{})
	if errors.Is(err, unix.ENOSPC) {
		return nil
	}
	return err
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

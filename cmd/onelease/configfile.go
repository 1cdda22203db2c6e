package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/strict"
)

// A configFile is --config of a role's command, and the flags that come on top of it.
type configFile struct {
	keyFlags
	path string
	doc  *strict.Document // nil without a file
}

// add takes a pointer to the struct of the file, as keyFlags.add.
func (c *configFile) add(cmd *cobra.Command, with any) {
	cmd.Flags().StringVar(&c.path, "config", "", "TOML `file` with what the flags say, which come on top; see onelease config example "+cmd.Name())
	c.keyFlags.add(cmd, with)
}

// read fills in a struct from the file, if there is one, and from the flags.
func (c *configFile) read(cmd *cobra.Command, into any) (err error) {
	if c.path != "" {
		if c.doc, err = strict.ReadFile(c.path, into); err != nil {
			return wrongUse(cmd, fmt.Errorf("configuration: %w", inFile(c.path, err)))
		}
	}
	c.onto(cmd, into)
	return nil
}

// A checkedFile is a pointer to the struct of a file that can say what is wrong with it.
type checkedFile interface{ check() error }

// readChecked is read, and checks what came of it.
func (c *configFile) readChecked(cmd *cobra.Command, into checkedFile) error {
	if err := c.read(cmd, into); err != nil {
		return err
	}
	if err := into.check(); err != nil {
		return wrongUse(cmd, c.locate(cmd, err))
	}
	return nil
}

// reload reads the file anew, into is, and if that says what it was has certificates read
// again.
func (c *configFile) reload(cmd *cobra.Command, was, is checkedFile, certificates func() error) error {
	if err := c.readChecked(cmd, is); err != nil {
		return err
	}
	if err := c.changed(was, is); err != nil {
		return err
	}
	return certificates()
}

// reloading is the reload of who was made of was, which read makes of the file and flags:
// take gets what they say now, if what only a start reads is as it was.
func reloading[C any](cmd *cobra.Command, file *configFile, was *C, read func(*cobra.Command) (C, error), take func(C) error) func() error {
	return func() error {
		next, err := read(cmd)
		if err == nil {
			err = file.changed(was, &next)
		}
		if err != nil {
			return err
		}
		return take(next)
	}
}

// inFile names the file in an error that does not.
func inFile(path string, err error) error {
	if strings.Contains(err.Error(), path) {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// locate says where in the file an error of a key is, if that is not a flag's.
func (c *configFile) locate(cmd *cobra.Command, err error) error {
	key := strict.TopKey(err)
	if c.doc == nil || key == "" || cmd.Flags().Changed(c.flagOf(key)) {
		return err
	}
	return inFile(c.path, c.doc.Locate(err))
}

// errRestart says why a file that was changed is not read again.
var errRestart = errors.New("nothing was changed: start the process anew for that")

// changed returns an error that names the keys that are not as they were, and that only a
// start reads. was and is are pointers to structs of the file.
func (c *configFile) changed(was, is any) error {
	keys := changedKeys(c.keys, reflect.ValueOf(was).Elem(), reflect.ValueOf(is).Elem())
	if len(keys) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s: %w", c.path, strings.Join(keys, ", "), errRestart)
}

// changedKeys are those that differ and are no Reload. Of tables there are as many as there
// were, or the table is named.
func changedKeys(keys []strict.Key, was, is reflect.Value) (names []string) {
	for _, key := range keys {
		a, b := fieldOf(was, key.Name), fieldOf(is, key.Name)
		switch {
		case key.Reload || reflect.DeepEqual(a.Interface(), b.Interface()):
		case key.Table == nil || a.Len() != b.Len():
			names = append(names, key.Name)
		default:
			for i := range a.Len() {
				for _, name := range changedKeys(key.Table, a.Index(i), b.Index(i)) {
					names = append(names, key.Name+"."+name)
				}
			}
		}
	}
	return names
}

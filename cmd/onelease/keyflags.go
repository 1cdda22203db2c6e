package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/internal/strict"
)

// A keyFlags has a flag for each key of a role's file that is no table: the same name, the
// same words, the same default.
type keyFlags struct {
	keys []strict.Key
	with reflect.Value // of a struct that has what flags say
}

// add takes a pointer to the struct of the file, whose fields have the defaults that
// flags show.
func (k *keyFlags) add(cmd *cobra.Command, with any) {
	k.keys, k.with = strict.Keys(with), reflect.ValueOf(with).Elem()
	for _, key := range k.keys {
		if key.Flag != "-" && key.Table == nil {
			addKeyFlag(cmd, &key, fieldOf(k.with, key.Name))
		}
	}
}

// fieldOf is the field of a struct that has the key.
func fieldOf(v reflect.Value, key string) reflect.Value {
	for _, field := range reflect.VisibleFields(v.Type()) {
		if name, _, _ := strings.Cut(field.Tag.Get("toml"), ","); name == key {
			return v.FieldByIndex(field.Index)
		}
	}
	panic("no key " + key)
}

func addKeyFlag(cmd *cobra.Command, key *strict.Key, field reflect.Value) {
	usage := strings.Replace(key.Comment, key.Value, "`"+key.Value+"`", 1)
	if key.Value == "" {
		usage = key.Comment
	}
	if field.IsZero() && key.Default != "" && key.Default != "false" {
		usage += " (default " + strings.Trim(key.Default, `"[]`) + ")"
	}
	flags := cmd.Flags()
	switch into := field.Addr().Interface().(type) {
	case *backend.Duration:
		flags.DurationVar((*time.Duration)(into), key.Flag, time.Duration(*into), usage)
	case *string:
		flags.StringVar(into, key.Flag, *into, usage)
	case *bool:
		flags.BoolVar(into, key.Flag, *into, usage)
	case *int:
		flags.IntVar(into, key.Flag, *into, usage)
	case *uint32:
		flags.Uint32Var(into, key.Flag, *into, usage)
	case *[]string:
		addListFlag(cmd, key, into, usage)
	default:
		panic(fmt.Sprintf("no flag for the key %s, a %T", key.Name, into))
	}
}

// addListFlag takes names with commas, and anything else one by one.
func addListFlag(cmd *cobra.Command, key *strict.Key, into *[]string, usage string) {
	if key.Value == "names" {
		cmd.Flags().StringSliceVar(into, key.Flag, nil, usage+", with commas; repeatable")
		return
	}
	cmd.Flags().StringArrayVar(into, key.Flag, nil, usage+"; repeatable")
}

// onto sets in the struct of a file what flags say otherwise.
func (k *keyFlags) onto(cmd *cobra.Command, config any) {
	v := reflect.ValueOf(config).Elem()
	for _, key := range k.keys {
		if key.Flag != "-" && key.Table == nil && cmd.Flags().Changed(key.Flag) {
			fieldOf(v, key.Name).Set(fieldOf(k.with, key.Name))
		}
	}
}

// flagOf is the name of the flag for a key.
func (k *keyFlags) flagOf(name string) string {
	for _, key := range k.keys {
		if key.Name == name {
			return key.Flag
		}
	}
	return name
}

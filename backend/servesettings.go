package backend

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/onelease/onelease/internal/strict"
)

// settings is the pointer to the struct of s's settings, or nil if it takes none.
func (s *pluginProgram) settings() any {
	v := reflect.ValueOf(s.service)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	for field := range v.Elem().Type().Fields() {
		if field.IsExported() && field.Tag.Get("toml") != "-" {
			return s.service
		}
	}
	return nil
}

// settingsExample is a TOML document of all settings with their defaults and comments,
// or "" if there are none.
func (s *pluginProgram) settingsExample() (string, error) {
	settings := s.settings()
	if settings == nil {
		return "", nil
	}
	shown := reflect.New(reflect.TypeOf(settings).Elem())
	shown.Elem().Set(reflect.ValueOf(settings).Elem())
	if d, ok := shown.Interface().(Settings); ok {
		d.SetDefaults()
	}
	text, err := toml.Marshal(shown.Interface())
	if err != nil {
		return "", fmt.Errorf("settings cannot be shown as TOML, give fields that are none the tag `toml:\"-\"`: %w", err)
	}
	return string(text), nil
}

// configure sets the service's settings from a TOML document. Its error says what is
// wrong with that.
func (s *pluginProgram) configure(document string) error {
	settings := s.settings()
	if settings == nil {
		if err := strict.Decode([]byte(document), &struct{}{}); err != nil {
			return fmt.Errorf("settings of %s: it has none: %w", s.name, err)
		}
		return nil
	}
	if err := strict.Decode([]byte(document), settings); err != nil {
		return fmt.Errorf("settings of %s: %w", s.name, err)
	}
	if c, ok := settings.(interface{ Check() error }); ok {
		if err := c.Check(); err != nil {
			// Services begin their errors with their names.
			return fmt.Errorf("settings of %s: %s", s.name, strings.TrimPrefix(err.Error(), s.name+": "))
		}
	}
	return nil
}

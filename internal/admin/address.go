package admin

import (
	"log/slog"

	"github.com/onelease/onelease/internal/strict"
)

// An Address has the keys of a role's file, and its flags, that say where it can be watched. The
// struct of a role's file embeds them.
type Address struct {
	Admin          string `toml:"admin" value:"host:port" example:"127.0.0.1:7680" comment:"host:port or unix:PATH to watch it at: metrics, readiness, status, profiles; nowhere by default"`
	AdminTLSCert   string `toml:"admin-tls-cert" value:"file" example:"/etc/onelease/admin.pem" comment:"PEM file with the certificate for admin; off the loopback it must have one"`
	AdminTLSKey    string `toml:"admin-tls-key" value:"file" example:"/etc/onelease/admin.key" comment:"PEM file with its key, which only its owner may read"`
	AdminTokenFile string `toml:"admin-token-file" value:"file" example:"/etc/onelease/admin.token" comment:"file with the token that admin asks for, which only its owner may read; off the loopback it must"`
}

// Config is what Open takes.
func (a Address) Config(log *slog.Logger) Config {
	return Config{a.Admin, a.AdminTLSCert, a.AdminTLSKey, a.AdminTokenFile, log}
}

// Check finds what is wrong without a network.
func (a Address) Check() error {
	cfg := a.Config(nil)
	return strict.At(cfg.check(), "admin")
}

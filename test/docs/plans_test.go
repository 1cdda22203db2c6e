package docs

import "filippo.io/age"

// drawing is why a picture made of characters is not compared.
const drawing = "a drawing"

// The commands of a reader who has a cluster already: its directories are in given, so that
// those that the page makes are free. Its routers are an embedded network's.
const (
	simnet     = "onelease simnet --i2cp 127.0.0.1:7654 --i2cp 127.0.0.1:7664 --i2cp 127.0.0.1:7674"
	makeKey    = "onelease key generate site.dat"
	passphrase = "correct horse battery"
)

var cluster = sealed("--identity-file", identity())

// sealed has the keys sealed by what the flag's file has. A passphrase takes seconds, while
// other pages do the same.
func sealed(flag, secret string) []string {
	by := " " + flag + " given/secret"
	return []string{
		simnet,
		"onelease key generate given.dat",
		"mkdir -p given /var/lib/onelease /etc/onelease /run/onelease",
		"(umask 077; echo " + secret + " > given/secret)",
		"onelease cluster init --dir given/b1 --name b1 --address 127.0.0.1:7666 --keys given.dat" + by,
		"onelease balancer --dir given/b1" + by,
	}
}

// identity is an age identity.
func identity() string {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		panic(err)
	}
	return id.String()
}

// join is how a node gets its directory.
func join(role, name, dir string) []string {
	return []string{
		"onelease cluster invite --dir given/b1 --role " + role + " --name " + name + " > given/token",
		"onelease cluster join --dir " + dir + " --token-file given/token",
	}
}

// siteSettings are those of the plugin site.
func siteSettings(path string) string {
	return `printf 'root = "/srv"\n' > ` + path
}

const buildSite = "go build ./plugins/site/cmd/site"

// concat puts scripts one after the other.
func concat(scripts ...[]string) (all []string) {
	for _, s := range scripts {
		all = append(all, s...)
	}
	return all
}

// plans are the pages'. A page without one has no block that is not run or compared.
var plans = map[string]Plan{
	"README.md": {
		Given: []string{makeKey},
		Web:   "127.0.0.1:8080",
		Notes: []Note{
			{Of: "make demo", Slow: "a minute"},
			{Of: "go run ./cmd/onelease demo --help"},
			{Of: "go run ./cmd/onelease demo --plugin", Slow: "a minute", Before: []string{buildSite, siteSettings("site.toml")}},
			{Of: "go run ./cmd/onelease demo --policy merged", Slow: "a minute", Code: 1},
			{Of: "go run ./cmd/onelease demo", Each: true, Slow: "a minute each"},
			{Of: "router 1 --I2CP", Not: drawing},
			{Of: "onelease up", Before: []string{simnet}},
			{Of: "LeaseSet ", Before: []string{"onelease status --dir site-1"}},
			{Of: "onelease plugin add ./site --settings", Before: []string{siteSettings("site.toml")}},
			{Of: "onelease backend --dir web", Stop: []string{"onelease up", "onelease simnet"}, Before: concat(cluster,
				join("frontend", "router-1", "router-1"), join("backend", "web", "web"),
				[]string{"onelease frontend --dir router-1 --sam 127.0.0.1:7670"})},
			{Of: "onelease plugin add ./site-1.1", Before: []string{"cp site site-1.1"}},
			{Of: "onelease sam --router", Stop: []string{"onelease demo --sam"}},
			{Of: "onelease frontend --dir router-1 --admin", Stop: []string{"onelease frontend --dir router-1"}},
			{Of: "make package", Not: "packaging/test.sh installs it"},
			{Of: "onelease cluster init", Typed: []string{passphrase, passphrase}},
			{Of: "onelease balancer --dir b1", Typed: []string{passphrase}},
			{Of: "make ", Each: true, Not: "this is run by one of them"},
		},
	},
	"docs/cluster-tests.md": {Notes: []Note{
		{Of: "go test", Not: "a test"},
		{Of: "ONELEASE_SOAK=1 go test", Not: "a test"},
	}},
	"docs/cluster.md": {
		Given: []string{simnet, makeKey},
		Notes: []Note{
			{Of: "balancer b1 ===", Not: drawing},
			{Of: "onelease cluster init", Typed: []string{passphrase, passphrase}},
			{Of: "onelease balancer", Each: true, Typed: []string{passphrase}},
			{Of: "onelease backend", Before: []string{
				"onelease cluster invite --dir /var/lib/onelease/b1 --role backend --name plugins > plugins.token",
				"onelease cluster join --dir /var/lib/onelease/web --token-file plugins.token",
				buildSite, siteSettings("site.toml"), "onelease plugin add ./site --settings site.toml",
			}},
			{Of: "go run ./examples/site", Before: []string{"mkdir public"}},
			{Of: "onelease frontend --dir /var/lib/onelease/router-1 --member", Stop: []string{"onelease frontend"}},
			{Of: "onelease sam --dir sam-1", Before: []string{
				"onelease cluster invite --dir /var/lib/onelease/b1 --role frontend --name router-3 > router-3.token",
				"onelease cluster join --dir router-3 --token-file router-3.token",
				"onelease frontend --dir router-3 --publisher --router 127.0.0.1:7674 --guests 10.0.0.7:7671",
			}},
		},
	},
	"docs/concepts.md":      {Notes: []Note{{Of: "visitors", Not: drawing}}},
	"docs/configuration.md": {Given: []string{simnet}, Notes: []Note{{Of: "sam.toml: line 3", Not: "a message, of a mistake that the page does not have one make"}}},
	"docs/keys.md": {
		Given: []string{simnet},
		Notes: []Note{{Of: "onelease lookup zzz.i2p --console", Not: "an embedded network's routers have no webconsole; TestOperator has i2pd's"}},
	},
	"docs/metrics.md": {
		Given: concat(sealed("--passphrase-file", passphrase), join("frontend", "router-1", "router-1"), []string{"ln -s given/b1 b1"}),
		Notes: []Note{
			{Of: "onelease frontend", Stop: []string{"onelease balancer"}},
			{Of: "onelease balancer", Typed: []string{passphrase}},
			{Of: "onelease status --admin 10.0.0.5", Stop: []string{"onelease frontend"}, Before: []string{
				"(umask 077; openssl rand -hex 16 > token)",
				"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout admin.key -out admin.pem -days 1 -subj /CN=admin -addext subjectAltName=IP:10.0.0.5",
				"onelease frontend --dir router-1 --admin 10.0.0.5:7680 --admin-tls-cert admin.pem --admin-tls-key admin.key --admin-token-file token",
			}},
			{Of: "scrape_configs:", Not: "it is in a file of Prometheus's"},
			{Of: "[+] router", Not: "a frontend in trouble, which the page does not have one make"},
			{Of: `curl "http://127.0.0.1:7680/history`, Stop: []string{"onelease frontend"}, Before: []string{"onelease frontend --dir router-1 --admin 127.0.0.1:7680"}},
		},
	},
	"docs/packaging.md": {Notes: []Note{
		{Of: "make ", Each: true, Not: "packaging/test.sh is one of them"},
		{Of: "onelease config example", Each: true, Not: "packaging/testunits.sh runs the units"},
		{Of: "sudo", Each: true, Not: "packaging/testunits.sh runs the units"},
		{Of: "Status: ", Each: true, Not: "what systemctl shows; packaging/testunits.sh wants it"},
		{Of: "ready()", Not: "packaging/testupgrade.sh runs it"},
		{Of: "for ", Each: true, Not: "packaging/testupgrade.sh runs it"},
		{Of: "podman", Each: true, Not: "packaging/testimage.sh runs the image"},
	}},
	"docs/plugin-protocol.md": {Notes: []Note{
		{Of: "ONELEASE_PLUGIN=", Not: "what a plugin finds in its environment"},
		{Of: "1|1|unix|", Not: "what a plugin prints"},
	}},
	"docs/plugins.md": {
		Given: concat(cluster, join("frontend", "router-1", "given/router-1"), join("backend", "web", "/var/lib/onelease/web"), []string{
			"onelease frontend --dir given/router-1 --sam 10.0.0.5:7670",
			buildSite, "cp site site-1.3", siteSettings("/etc/onelease/site.toml"),
		}),
	},
	"docs/quickstart.md": {
		Given: []string{"mkdir -p /var/lib/i2pd", "onelease key generate /var/lib/i2pd/site.dat"},
		Web:   "127.0.0.1:8080",
		Notes: []Note{
			{Of: "[i2cp]", Not: "of an i2pd; TestTenMinutes has it"},
			{Of: "level=INFO", Not: "a log; TestUp has it"},
			{Of: "curl -x", Each: true, Prints: WebPage},
			// In place of two minutes: a visitor that has forgotten.
			{Of: "(umask 077; head", Stop: []string{"onelease up", "onelease simnet"}, Before: []string{simnet + " --http-proxy 127.0.0.1:4444"}},
			{Of: "Destination ", Except: "netDB"},
			{Of: "xdg-open", Not: "a browser's; TestPage has one"},
		},
	},
	"docs/sam-extension.md": {Notes: []Note{{Of: "left, right", Not: "an algorithm"}}},
	"docs/sam.md": {Notes: []Note{
		{Of: "onelease sam --router", Stop: []string{"onelease demo"}, Before: []string{simnet}},
		{Of: "onelease sam user add", Typed: []string{"horse", "horse"}},
		{Of: "onelease sam --config", Stop: []string{"onelease sam"}, Before: []string{
			"onelease config example sam > sam.toml",
			"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout sam.key -out sam.pem -days 1 -subj /CN=sam -addext subjectAltName=IP:10.0.0.5",
		}},
		{Of: "HELLO VERSION USER=", Before: []string{
			`line='HELLO VERSION USER=alice PASSWORD="horse"'; echo "$line"; printf '%s\nQUIT\n' "$line" | ` +
				`openssl s_client -connect 10.0.0.5:7656 -CAfile sam.pem -quiet -ign_eof -verify_return_error 2>/dev/null | grep RESULT=OK`,
		}},
	}},
	"docs/troubleshooting.md": {
		Given: concat(cluster, join("frontend", "router-1", "/var/lib/onelease/router-1"), join("frontend", "router-2", "given/router-2"),
			join("frontend", "router-3", "given/router-3"), []string{
				"onelease frontend --dir /var/lib/onelease/router-1 --member",
				"onelease frontend --dir given/router-2 --member --router 127.0.0.1:7664",
				"onelease frontend --dir given/router-3 --publisher --router 127.0.0.1:7674",
				makeKey,
				"onelease config example frontend > /etc/onelease/frontend.toml",
			}),
		Notes: []Note{
			{Of: "warn  roles", Not: "of a setup with faults, which TestEveryFaultIsFound has"},
			{Of: "onelease doctor --dir /var/lib/onelease/b1", Not: "an embedded network's routers have no webconsole; TestOperator has i2pd's"},
		},
	},
}

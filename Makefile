# Onelease. `make help` lists the targets.

TOOL := go tool -modfile=tools/go.mod
PROTOS := backend/pluginpb/plugin.proto balancer/controlpb/control.proto balancer/cluster/clusterpb/cluster.proto raftstate/statepb/state.proto
I2PD_TESTS := ./test/samconform ./i2p/i2cp ./test/i2pd/... ./test/streamservice
RUN := .

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: ## Build bin/onelease
	go build -trimpath -o bin/onelease ./cmd/onelease

.PHONY: demo
demo: ## Show the job: four routers, one LeaseSet, a router and a frontend killed
	go run ./cmd/onelease demo

.PHONY: test
# The longest go first, and three at a time: many wait for clocks.
test: vet staticcheck ## Vet, staticcheck and all tests with -race (real routers: test-i2pd)
	go test -race -p 3 -ldflags=-w ./test/cluster ./cmd/onelease ./test/samconform ./backend/plugin ./test/sambridge ./plugins/sambridge ./test/docs ./...

.PHONY: vet
vet:
	go vet ./...

.PHONY: staticcheck
staticcheck:
	$(TOOL) staticcheck ./...

I2PD := ONELEASE_REQUIRE_I2PD=1 go test -race -count=1 -p 1 -parallel 4 -timeout 18m -v

.PHONY: test-i2pd
test-i2pd: ## The tests against real i2pd routers; installs Debian's i2pd if it may
	test/i2pd/install.sh
ifeq ($(RUN),.)
	$(MAKE) -k -j3 --output-sync=target i2pd-most i2pd-patient i2pd-rest
else
	$(I2PD) -run '$(RUN)' -skip '^TestSoak' ./test $(I2PD_TESTS)
endif

# They mostly wait: side by side they take about eight minutes.
PATIENT := ^(TestStreamsSurvive|TestSAMBridgeSurvives|TestHosting|TestOperator|TestTenMinutes)$$

.PHONY: i2pd-most i2pd-patient i2pd-rest
i2pd-most:
	$(I2PD) -skip '^TestSoak|$(PATIENT)' ./test
i2pd-patient:
	$(I2PD) -run '$(PATIENT)' ./test
i2pd-rest:
	$(I2PD) -skip '^TestSoak' $(I2PD_TESTS)

.PHONY: i2pd-names
i2pd-names: # the tests that test-i2pd runs
	@go list -f '{{$$d := .Dir}}{{range .TestGoFiles}}{{$$d}}/{{.}} {{end}}{{range .XTestGoFiles}}{{$$d}}/{{.}} {{end}}' ./test $(I2PD_TESTS) | \
		xargs sed -nE 's/^func (Test[A-Za-z0-9_]+)\(.*\*testing\.T\).*/\1/p' | grep -v '^TestSoak'

.PHONY: test-samclients
test-samclients: ## SAM clients of others against onelease demo --sam: Go, Node, Python
	ONELEASE_SAM_CLIENTS=1 go test -count=1 -timeout 10m -v ./test/samclients

.PHONY: test-page
test-page: ## The pages of the admin address in a headless Chromium: needs chromium, node and npm
	ONELEASE_PAGE=1 go test -count=1 -timeout 5m -run '^TestPage$$' -v ./cmd/onelease

.PHONY: package
package: ## dist/onelease_*.deb for this machine's architecture and its SHA256SUMS; the same input makes the same bytes
	packaging/build.sh

.PHONY: test-units
test-units: ## The package's units under a systemd of their own; a cluster upgraded while visitors fetch; needs root
	packaging/testunits.sh
	packaging/testupgrade.sh

.PHONY: test-package
test-package: ## The package, built twice and installed into a root of its own, and test-units; needs root
	packaging/test.sh
	$(MAKE) test-units

.PHONY: test-image
test-image: ## The image of the Containerfile, built and run by podman, which must be installed; needs root
	packaging/testimage.sh

.PHONY: bench
bench: ## Merge and sign, packets per second against a bare loop, raft commits, plugins
	go test -run '^$$' -bench . -benchmem ./balancer ./raftstate ./backend/plugin ./frontend/guest ./i2p/... ./internal/pluginwire ./plugins/sambridge ./test ./test/plugins

.PHONY: bench-i2pd
bench-i2pd: ## Packets per second and round trips through real i2pd routers
	test/i2pd/install.sh
	ONELEASE_REQUIRE_I2PD=1 go test -run "^$$$$" -bench . -timeout 30m ./test/...

.PHONY: soak
soak: ## The long form of the tests: minutes where CI takes seconds
	test/i2pd/install.sh
	ONELEASE_SOAK=1 ONELEASE_REQUIRE_I2PD=1 go test -race -count=1 -p 1 -timeout 180m -v . ./i2p/simnet ./test/...

.PHONY: fuzz
fuzz: ## Every fuzz target for 20 s each
	tools/fuzz.sh 20s

.PHONY: generate
generate: ## Make the generated files anew
	go -C tools run ./protogen -root .. $(PROTOS)
	go test ./i2p/sam -run '^TestDocs$$' -count=1 -update >/dev/null
	go test ./internal/doctor -run '^TestDocs$$' -count=1 -update >/dev/null
	go test ./internal/admin -run '^TestDocs$$' -count=1 -update >/dev/null
	go test ./cmd/onelease -run '^TestConfigDocs$$' -count=1 -update-config >/dev/null

.PHONY: check
check: vet staticcheck generate ## Format, vet, staticcheck, generated files up to date
	@test -z "$$(gofmt -l .)" || { echo "not formatted: run gofmt -w on"; gofmt -l .; exit 1; }
	@git diff --exit-code --stat -- $(PROTOS:.proto=.pb.go) balancer/controlpb/control_grpc.pb.go \
		balancer/cluster/clusterpb/cluster_grpc.pb.go backend/pluginpb/plugin_grpc.pb.go docs/sam.md docs/sam-extension.md docs/metrics.md docs/troubleshooting.md docs/configuration.md \
		|| { echo "generated files were out of date: commit what make generate made"; exit 1; }
	@go mod tidy -diff >/dev/null || { echo "go.mod is not tidy: run go mod tidy"; exit 1; }

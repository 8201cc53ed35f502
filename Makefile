# Hotline. Two commands to begin with: `make demo` and `make test`.
.PHONY: demo demo-zh run test build models setup fmt bench fuzz clean

HOTLINE := target/release/hotline

demo: build models ## one real call in English, speech both ways
	$(HOTLINE) demo

demo-zh: build models ## the same in Mandarin
	$(HOTLINE) demo --lang zh

run: build models ## start the service and the reference CRM, and stay; hotline.toml says on which port
	scripts/run

build: setup
	cargo build --release --locked

models: build
	$(HOTLINE) models pull

setup:
	scripts/setup

test: ## formatting, lints, layering, unit and behaviour tests
	scripts/setup test
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo build --locked
	target/debug/hotline models pull
	cargo nextest run --locked

fmt:
	cargo fmt

fuzz: ## one fuzz target: make fuzz TARGET=sdp_offer SECONDS=600
	scripts/fuzz "$(TARGET)" "$(SECONDS)"

bench: setup
	cargo bench --locked

clean:
	cargo clean

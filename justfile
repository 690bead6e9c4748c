# Commands for people who work on dsvmc. Each is one line of plain cargo or bash; `just` only saves typing.

# list the commands
default:
    @just --list

# run all tests
test:
    cargo test

# what needs no endpoint and no machine program, in under a minute once built: unit tests, the language, docs, gates
quick:
    cargo test --lib --workspace
    cargo test --test it -- --skip local:: --skip plan:: --skip cloud:: --skip whole:: --skip machine:: --skip terminal:: --skip story:: --skip rollout:: --skip rollout_story:: --skip changes:: --skip again::

# the slow half of the suite: the endpoint, plans and applies against it, terminals, the program on machines
slow:
    cargo test --test it -- local:: plan:: cloud:: whole:: machine:: terminal:: story:: rollout:: rollout_story:: changes:: again::

# formatting and clippy
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# accept changed snapshots, goldens and generated docs, after you have looked at them
bless:
    INSTA_UPDATE=always DSVMC_BLESS=1 cargo test

# the README's first command
demo:
    cargo run -- apply --yes --target local examples/01-shared-pool

# checks against tools that we did not write: stock az, Azure SDKs, checkov (large installs; says what it skips)
conformance:
    bash conformance/run.sh

# the tree-sitter grammar alone
tree-sitter:
    bash conformance/tree-sitter.sh

# whole-process speed, written to benches/results.md
bench:
    bash benches/run.sh

# cost of building, beside another commit (an idle machine, about ten minutes)
bench-build commit="5bc42c7":
    python3 benches/build.py {{commit}}

# fuzz a target for a minute (needs a nightly toolchain and cargo-fuzz)
fuzz target="parse":
    cd fuzz && cargo +nightly fuzz run {{target}} -- -max_total_time=60 -max_len=262144 -len_control=0

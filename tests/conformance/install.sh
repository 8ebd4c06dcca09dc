#!/usr/bin/env bash
# Installs the Ethereum clients that the conformance tests run, as locked; needs node and npm.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund

#!/bin/sh
cd "$(dirname "$0")/.." && { [ -x .venv/bin/storecrew ] || make --quiet .venv/.runtime; } && exec .venv/bin/storecrew up --detach "$@"

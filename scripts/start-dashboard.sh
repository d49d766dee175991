#!/bin/sh
echo "there is no dashboard yet; scripts/start-orchestrator.sh serves the API" >&2; exit 1

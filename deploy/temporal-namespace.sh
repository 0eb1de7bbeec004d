#!/bin/sh
# Ensures the namespace TEMPORAL_NAMESPACE at TEMPORAL_ADDRESS, which keeps finished workflows for RETENTION.
set -eu
tries=60
until temporal operator cluster health >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ $tries = 0 ]; then
        echo "Temporal at $TEMPORAL_ADDRESS does not answer; look at the log of the service temporal" >&2
        exit 1
    fi
    sleep 2
done
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    echo "namespace $TEMPORAL_NAMESPACE is there"
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi

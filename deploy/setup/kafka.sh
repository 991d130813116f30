#!/usr/bin/env bash
# Fetch the jars of Apache Kafka, in the version of deploy/kafka/pom.xml, into deploy/kafka/libs.
# Without Maven it prints a message and continues (tests on real Kafka are then skipped), unless CI=true.
set -euo pipefail
cd "$(dirname "$0")/../kafka"
if ! command -v mvn >/dev/null; then
  echo "make test: no Maven, so no Apache Kafka; install maven and Java 17 and try again" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
# Download next to the old ones first, so that an interrupted download never leaves an incomplete set in use.
rm -rf libs.new
trap 'rm -rf libs.new' EXIT
mvn --quiet --batch-mode -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory="$PWD/libs.new"
rm -rf libs
mv libs.new libs
touch libs/.complete

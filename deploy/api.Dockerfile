# The control plane. Built by docker compose from the checkout's root; see .dockerignore for what it gets to see.
FROM maven:3.9.9-eclipse-temurin-17 AS build
WORKDIR /src
COPY . .
# -am: its tests' helpers are modules too, and Maven wants to know them even where tests are skipped.
RUN --mount=type=cache,target=/root/.m2 mvn -B -ntp -q -pl api -am -DskipTests package

FROM eclipse-temurin:17.0.13_11-jre-noble
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin mayfly
WORKDIR /opt/mayfly
COPY --from=build /src/bin/mayfly bin/mayfly
COPY --from=build /src/api/target/classes api/target/classes
COPY --from=build /src/api/target/lib api/target/lib
USER 10001:10001
# The root file system may be read-only: only /tmp is written to.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["curl", "--fail", "--silent", "--max-time", "3", "http://127.0.0.1:8081/ping"]
CMD ["bin/mayfly", "server", "/etc/mayfly/api.yml"]

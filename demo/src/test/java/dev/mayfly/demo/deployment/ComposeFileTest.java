package dev.mayfly.demo.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code docker-compose.yml} can't be run where there are no containers; that it is of one piece can be told from here. */
final class ComposeFileTest {

    private static final JsonNode COMPOSE = Checkout.yaml("docker-compose.yml");
    private static final JsonNode API = Checkout.yaml("deploy/api.yml");
    private static final Pattern IMAGE = Pattern.compile("([a-z0-9-]+/)?[a-z0-9-]+:\\d[A-Za-z0-9._-]*");
    private static final Pattern SUBSTITUTED = Pattern.compile("(?<!\\$)\\$\\{([A-Z_]+)(?:(:-|:\\?)([^}]*))?}");
    private static final Pattern SECRET = Pattern.compile("/run/secrets/([a-z0-9.-]+)");
    /** Files that only an operator has, as {@code deploy/make-secrets} says. */
    private static final Set<String> BROUGHT = Set.of("gitlab-token", "server.p12");

    @Test
    void everyImageIsPinnedAndNamesNoRegistry() {
        services()
                .forEach((name, service) -> assertThat(service.path("image").asText())
                        .as(name)
                        .matches(IMAGE)
                        .doesNotContain("latest"));
        assertThat(Checkout.text("deploy/api.Dockerfile").lines().filter(line -> line.startsWith("FROM ")))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line.split(" ", -1)[1]).matches(IMAGE));
    }

    @Test
    void theDatabaseIsTheOneThatTheTestsRanAgainst() {
        Matcher tested = Pattern.compile("<postgres-binaries.version>(\\d+)\\.").matcher(Checkout.text("pom.xml"));
        assertThat(tested.find()).isTrue();
        assertThat(service("postgres").path("image").asText()).startsWith("postgres:" + tested.group(1) + ".");
    }

    @Test
    void temporalsServerAndItsSchemaJobsAreOfOneVersion() {
        Set<String> versions = new HashSet<>();
        for (String name : List.of("temporal", "temporal-schema", "temporal-namespace")) {
            versions.add(service(name).path("image").asText().replaceFirst(".*:", ""));
        }
        assertThat(versions).hasSize(1);
    }

    @Test
    void whateverKeepsRunningHasAHealthCheckAndComesBack() {
        services().forEach((name, service) -> {
            boolean once = service.path("restart").asText().startsWith("on-failure");
            assertThat(once || service.at("/healthcheck/test").size() > 1)
                    .as("%s has a health check", name)
                    .isTrue();
            assertThat(once || service.path("restart").asText().equals("unless-stopped"))
                    .as("%s is started again", name)
                    .isTrue();
        });
    }

    @Test
    void eachServiceWaitsForWhatItNeeds() {
        services()
                .forEach((name, service) -> service.path("depends_on")
                        .properties()
                        .forEach(needed -> {
                            JsonNode other = service(needed.getKey());
                            boolean once = other.path("restart").asText().startsWith("on-failure");
                            assertThat(needed.getValue().path("condition").asText())
                                    .as("%s waits for %s", name, needed.getKey())
                                    .isEqualTo(once ? "service_completed_successfully" : "service_healthy");
                        }));
        assertThat(names(service("temporal").path("depends_on"))).containsExactly("temporal-schema");
        assertThat(names(service("api").path("depends_on")))
                .containsExactlyInAnyOrder("postgres", "temporal-namespace");
    }

    @Test
    void everyFileThatIsMountedOrBuiltFromIsThere() {
        services()
                .forEach((name, service) -> volumes(service).forEach(volume -> {
                    String source = volume.split(":", -1)[0];
                    if (source.startsWith("./") && !source.startsWith("./secrets/")) {
                        assertThat(Checkout.path(source)).as(name).isRegularFile();
                    } else if (!source.startsWith("./")) {
                        assertThat(COMPOSE.path("volumes").has(source))
                                .as(volume)
                                .isTrue();
                    }
                }));
        assertThat(Checkout.path(service("api").at("/build/dockerfile").asText()))
                .isRegularFile();
    }

    @Test
    void everyFileThatACommandNamesIsMounted() {
        for (String name : List.of("temporal-schema", "temporal-namespace")) {
            String script = service(name).path("command").get(1).asText();
            assertThat(volumes(service(name))).anyMatch(volume -> volume.contains(":" + script + ":"));
        }
        assertThat(volumes(service("temporal")))
                .anyMatch(volume -> volume.contains(":"
                        + service("temporal")
                                .at("/environment/DYNAMIC_CONFIG_FILE_PATH")
                                .asText()
                        + ":"));
        assertThat(service("api").path("command").toString()).contains("bin/mayfly server /etc/mayfly/api.yml");
        assertThat(volumes(service("api"))).contains("./deploy/api.yml:/etc/mayfly/api.yml:ro");
    }

    @Test
    void everySecretIsDeclaredGivenAndMadeAndNoneIsTooMany(@TempDir Path folder) throws Exception {
        assertThat(Checkout.run(
                                Map.of(),
                                List.of("deploy/make-secrets", "--into", folder.toString(), "--host", "host-1"))
                        .exitCode())
                .isZero();
        Set<String> declared = new TreeSet<>();
        COMPOSE.path("secrets").properties().forEach(secret -> {
            declared.add(secret.getKey());
            assertThat(secret.getValue().path("file").asText()).isEqualTo("./secrets/" + secret.getKey());
            assertThat(BROUGHT.contains(secret.getKey())
                            || folder.resolve(secret.getKey()).toFile().exists())
                    .as("make-secrets makes %s", secret.getKey())
                    .isTrue();
        });
        Set<String> given = new TreeSet<>();
        services().forEach((name, service) -> {
            Set<String> its = new TreeSet<>();
            service.path("secrets").forEach(secret -> its.add(secret.asText()));
            assertThat(secretsNamedBy(name)).as("secrets of %s", name).isSubsetOf(its);
            given.addAll(its);
        });
        assertThat(given).isEqualTo(declared);
    }

    @Test
    void noSecretStandsInTheTree() {
        assertThat(Checkout.text(".gitignore").lines()).contains("/secrets/", "/.env");
        services()
                .forEach((name, service) -> service.path("environment")
                        .properties()
                        .forEach(variable -> assertThat(variable.getKey())
                                .as("%s in %s", variable.getKey(), name)
                                .satisfiesAnyOf(
                                        key -> assertThat(key).doesNotMatch(".*(PASSWORD|PWD|TOKEN|SECRET|KEY).*"),
                                        key -> assertThat(key).endsWith("_FILE"))));
    }

    @Test
    void theApisConfigurationFindsItsServicesAndVariables() {
        assertThat(API.at("/database/url").asText()).startsWith("jdbc:postgresql://postgres:5432/");
        assertThat(API.at("/temporal/target").asText()).isEqualTo("temporal:7233");
        assertThat(API.at("/temporal/namespace").asText())
                .isEqualTo(service("temporal-namespace")
                        .at("/environment/TEMPORAL_NAMESPACE")
                        .asText())
                .isEqualTo(service("temporal-ui")
                        .at("/environment/TEMPORAL_DEFAULT_NAMESPACE")
                        .asText());
        assertThat(volumes(service("api")))
                .anyMatch(volume ->
                        volume.contains(":" + API.at("/agents/credentialsDir").asText() + ":"));
        int port = API.at("/server/applicationConnectors/0/port").asInt();
        assertThat(service("api").path("ports").get(0).asText()).endsWith(":" + port);
        assertThat(service("api").at("/healthcheck/test").toString())
                .contains(":" + API.at("/server/adminConnectors/0/port").asInt() + "/");
        String given = service("api").toString();
        for (String variable : variables(Checkout.text("deploy/api.yml")).keySet()) {
            assertThat(given).as("compose gives the api %s", variable).contains(variable);
        }
    }

    @Test
    void theDatabasesAreThoseThatAreUsed() {
        String sql = Checkout.text("deploy/postgres-init.sql");
        String database = API.at("/database/url").asText().replaceFirst(".*/", "");
        assertThat(sql)
                .contains("create role " + API.at("/database/user").asText() + " ")
                .contains("create database " + database + " ");
        assertThat(sql)
                .contains("create role "
                        + service("temporal").at("/environment/POSTGRES_USER").asText() + " ")
                .contains("create database temporal ", "create database temporal_visibility ");
        assertThat(service("temporal-schema").at("/environment/SQL_USER").asText())
                .isEqualTo(service("temporal").at("/environment/POSTGRES_USER").asText());
    }

    @Test
    void whatMustBeSetSaysSoAndTheRestHasADefault() {
        assertThat(variables(Checkout.text("docker-compose.yml")))
                .containsOnlyKeys("GITLAB_URL", "PUBLIC_URL", "API_LISTEN", "TEMPORAL_LISTEN")
                .allSatisfy((name, substitution) -> {
                    assertThat(substitution)
                            .as("%s has a default or a word of explanation", name)
                            .isNotEmpty();
                    assertThat(Checkout.text("docs/OPERATING.md")).contains("| `%s` | compose |".formatted(name));
                });
    }

    @Test
    void onlyTheApiIsOpenToEverybody() {
        services()
                .forEach((name, service) -> service.path("ports")
                        .forEach(port -> assertThat(port.asText())
                                .as(name)
                                .satisfiesAnyOf(
                                        text -> assertThat(text).startsWith("127.0.0.1:"),
                                        text -> assertThat(text).startsWith("${TEMPORAL_LISTEN:-127.0.0.1}:"),
                                        text -> assertThat(name).isEqualTo("api"))));
    }

    @Test
    void theApiRunsAsNobodyInParticularAndWritesNowhere() {
        assertThat(Checkout.text("deploy/api.Dockerfile")).containsPattern("(?m)^USER [1-9]\\d*:[1-9]\\d*$");
        assertThat(service("api").path("read_only").asBoolean()).isTrue();
        assertThat(service("api").path("cap_drop").toString()).contains("ALL");
    }

    @Test
    void theImageIsBuiltFromWhatTheBuildMaySee() {
        Set<String> seen = new HashSet<>();
        Checkout.text(".dockerignore")
                .lines()
                .filter(line -> line.startsWith("!"))
                .forEach(line -> seen.add(line.substring(1)));
        assertThat(seen).allSatisfy(path -> assertThat(Checkout.path(path)).exists());
        Checkout.modules()
                .forEach(module -> assertThat(seen)
                        .as("Maven wants to see %s", module)
                        .containsAnyOf(module, module + "/pom.xml"));
    }

    private static Set<String> secretsNamedBy(String service) {
        StringBuilder texts = new StringBuilder(service(service).toString());
        volumes(service(service)).stream()
                .map(volume -> volume.split(":", -1)[0])
                .filter(source -> source.startsWith("./deploy/"))
                .forEach(source -> texts.append(Checkout.text(source)));
        Set<String> named = new TreeSet<>();
        Matcher secrets = SECRET.matcher(texts);
        while (secrets.find()) {
            named.add(secrets.group(1));
        }
        return named;
    }

    private static Map<String, String> variables(String text) {
        Map<String, String> found = new TreeMap<>();
        Matcher variable = SUBSTITUTED.matcher(text.replaceAll("(?m)^\\s*#.*$", ""));
        while (variable.find()) {
            found.put(variable.group(1), variable.group(3) == null ? "" : variable.group(3));
        }
        return found;
    }

    private static List<String> names(JsonNode object) {
        return object.properties().stream().map(Map.Entry::getKey).toList();
    }

    private static List<String> volumes(JsonNode service) {
        List<String> volumes = new ArrayList<>();
        service.path("volumes").forEach(volume -> volumes.add(volume.asText()));
        return volumes;
    }

    private static JsonNode service(String name) {
        JsonNode service = COMPOSE.at("/services/" + name);
        assertThat(service.isObject()).as("service %s", name).isTrue();
        return service;
    }

    private static Map<String, JsonNode> services() {
        Map<String, JsonNode> services = new TreeMap<>();
        COMPOSE.path("services").properties().forEach(field -> services.put(field.getKey(), field.getValue()));
        assertThat(services).isNotEmpty();
        return services;
    }
}

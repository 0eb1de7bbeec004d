package dev.mayfly.testkit.gitlab.ci;

import dev.mayfly.testkit.gitlab.http.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Image, services, artifacts and cache in the shape of the runner's payload (app/presenters/ci/build_runner_presenter.rb). */
final class RunnerShapes {
    private record Report(String filename, String format) {}

    private static final Map<String, Report> REPORTS = Map.ofEntries(
            Map.entry("junit", new Report("junit.xml", "gzip")),
            Map.entry("dotenv", new Report(".env", "gzip")),
            Map.entry("cobertura", new Report("cobertura-coverage.xml", "gzip")),
            Map.entry("metrics", new Report("metrics.txt", "gzip")),
            Map.entry("accessibility", new Report("gl-accessibility.json", "raw")),
            Map.entry("codequality", new Report("gl-code-quality-report.json", "raw")),
            Map.entry("sast", new Report("gl-sast-report.json", "raw")),
            Map.entry("secret_detection", new Report("gl-secret-detection-report.json", "raw")),
            Map.entry("dependency_scanning", new Report("gl-dependency-scanning-report.json", "raw")),
            Map.entry("container_scanning", new Report("gl-container-scanning-report.json", "raw")),
            Map.entry("dast", new Report("gl-dast-report.json", "raw")),
            Map.entry("performance", new Report("performance.json", "raw")),
            Map.entry("browser_performance", new Report("browser-performance.json", "raw")),
            Map.entry("load_performance", new Report("load-performance.json", "raw")),
            Map.entry("terraform", new Report("tfplan.json", "raw")),
            Map.entry("requirements", new Report("requirements.json", "raw")),
            Map.entry("cyclonedx", new Report("gl-sbom.cdx.json", "gzip")),
            Map.entry("annotations", new Report("gl-annotations.json", "gzip")));

    private RunnerShapes() {}

    static @Nullable Map<String, @Nullable Object> image(@Nullable Object image) {
        if (image == null) {
            return null;
        }
        Map<String, @Nullable Object> map = image instanceof Map ? Yaml.map(image) : Json.object("name", image);
        return Json.object(
                "name", Yaml.text(map.get("name")),
                "entrypoint", textsOrNull(map.get("entrypoint")),
                "executor_opts", executorOptions(map),
                "ports", List.of(),
                "pull_policy", textsOrNull(map.get("pull_policy")));
    }

    static List<Map<String, @Nullable Object>> services(@Nullable Object services) {
        List<Map<String, @Nullable Object>> result = new ArrayList<>();
        if (services instanceof List<?> list) {
            for (Object one : list) {
                Map<String, @Nullable Object> map = one instanceof Map ? Yaml.map(one) : Json.object("name", one);
                result.add(Json.object(
                        "name", Yaml.text(map.get("name")),
                        "entrypoint", textsOrNull(map.get("entrypoint")),
                        "executor_opts", executorOptions(map),
                        "ports", List.of(),
                        "pull_policy", textsOrNull(map.get("pull_policy")),
                        "alias", Yaml.text(map.get("alias")),
                        "command", textsOrNull(map.get("command")),
                        "variables", serviceVariables(map.get("variables"))));
            }
        }
        return result;
    }

    static List<Map<String, @Nullable Object>> artifacts(String job, @Nullable Object artifacts) {
        List<Map<String, @Nullable Object>> result = new ArrayList<>();
        if (!(artifacts instanceof Map)) {
            return result;
        }
        Map<String, @Nullable Object> map = Yaml.map(artifacts);
        Object expireIn = Yaml.text(map.get("expire_in"));
        if (map.get("paths") != null || Boolean.TRUE.equals(map.get("untracked"))) {
            Map<String, @Nullable Object> archive = Json.object(
                    "name", Yaml.text(map.get("name")),
                    "untracked", map.get("untracked"),
                    "paths", textsOrNull(map.get("paths")),
                    "when", Yaml.text(map.get("when")),
                    "expire_in", expireIn,
                    "artifact_type", "archive",
                    "artifact_format", "zip");
            if (map.get("exclude") != null) {
                archive.put("exclude", Yaml.texts(map.get("exclude")));
            }
            result.add(archive);
        }
        Yaml.map(map.get("reports")).forEach((type, paths) -> result.add(report(job, type, paths, expireIn)));
        return result;
    }

    private static Map<String, @Nullable Object> report(
            String job, String type, @Nullable Object value, @Nullable Object expireIn) {
        boolean coverage = type.equals("coverage_report");
        String realType = coverage ? String.valueOf(Yaml.map(value).get("coverage_format")) : type;
        Report report = REPORTS.get(realType);
        if (report == null) {
            throw new CiConfigException("jobs:" + job + ":artifacts:reports config contains unknown keys: " + type);
        }
        return Json.object(
                "name",
                report.filename(),
                "paths",
                Yaml.texts(coverage ? Yaml.map(value).get("path") : value),
                "when",
                "always",
                "expire_in",
                expireIn,
                "artifact_type",
                realType,
                "artifact_format",
                report.format());
    }

    static List<Map<String, @Nullable Object>> cache(@Nullable Object cache) {
        List<Map<String, @Nullable Object>> result = new ArrayList<>();
        List<Object> all = new ArrayList<>();
        if (cache instanceof List<?> list) {
            all.addAll(list);
        } else if (cache instanceof Map<?, ?> map && !map.isEmpty()) {
            all.add(cache);
        }
        for (Object one : all) {
            Map<String, @Nullable Object> map = Yaml.map(one);
            Object key = map.get("key");
            result.add(Json.object(
                    "key", key == null ? "default" : key instanceof Map ? fileKey(Yaml.map(key)) : String.valueOf(key),
                    "untracked", Boolean.TRUE.equals(map.get("untracked")),
                    "unprotect", Boolean.TRUE.equals(map.get("unprotect")),
                    "policy", map.getOrDefault("policy", "pull-push"),
                    "paths", Yaml.texts(map.get("paths")),
                    "when", map.getOrDefault("when", "on_success"),
                    "fallback_keys", Yaml.texts(map.get("fallback_keys"))));
        }
        return result;
    }

    private static String fileKey(Map<String, @Nullable Object> key) {
        String prefix = key.get("prefix") == null ? "" : key.get("prefix") + "-";
        return prefix + Integer.toHexString(Yaml.texts(key.get("files")).hashCode());
    }

    private static Map<String, @Nullable Object> executorOptions(Map<String, @Nullable Object> map) {
        return Yaml.map(map.get("docker")).isEmpty()
                ? Json.object()
                : Json.object("docker", Yaml.map(map.get("docker")));
    }

    private static @Nullable List<String> textsOrNull(@Nullable Object value) {
        return value == null ? null : Yaml.texts(value);
    }

    private static List<Map<String, @Nullable Object>> serviceVariables(@Nullable Object variables) {
        List<Map<String, @Nullable Object>> result = new ArrayList<>();
        Yaml.map(variables)
                .forEach((key, value) ->
                        result.add(Json.object("key", key, "value", String.valueOf(value), "public", true)));
        return result;
    }
}

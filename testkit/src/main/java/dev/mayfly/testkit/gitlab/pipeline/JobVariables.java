package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.ci.JobSeed.YamlVariable;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.Artifact;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiVariable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * All variables of a build in GitLab's order of precedence, lowest first: predefined, YAML, dotenv reports of the jobs it
 * depends on, the project's, the pipeline's, those given when it was played.
 */
final class JobVariables {
    private final PredefinedVariables predefined;

    JobVariables(PredefinedVariables predefined) {
        this.predefined = predefined;
    }

    /** As the runner gets them. */
    List<Map<String, @Nullable Object>> payload(Build build, List<Build> dependencies, int timeoutSeconds) {
        List<Map<String, @Nullable Object>> all = new ArrayList<>();
        predefined
                .ofBuild(build, timeoutSeconds)
                .forEach((key, value) ->
                        all.add(variable(key, value, false, PredefinedVariables.MASKED.contains(key), false)));
        for (YamlVariable one : build.seed().variables()) {
            all.add(variable(one.key(), one.value(), false, false, one.raw()));
        }
        dotenv(dependencies).forEach((key, value) -> all.add(variable(key, value, false, false, true)));
        for (CiVariable one : visible(build)) {
            all.add(variable(one.key(), one.value(), one.file(), one.masked(), one.raw()));
        }
        return all;
    }

    private static List<CiVariable> visible(Build build) {
        List<CiVariable> all = new ArrayList<>(build.project().variables().values());
        all.removeIf(one -> one.protectedOnly() && !build.pipeline().isProtected());
        all.addAll(build.pipeline().cause().variables());
        all.addAll(build.playVariables());
        return all;
    }

    private static Map<String, @Nullable Object> variable(
            String key, String value, boolean file, boolean masked, boolean raw) {
        return Json.object(
                "key", key, "value", value, "public", !masked && !file, "masked", masked, "file", file, "raw", raw);
    }

    /** Variables that earlier jobs wrote as {@code artifacts:reports:dotenv}. */
    private static Map<String, String> dotenv(List<Build> dependencies) {
        Map<String, String> all = new LinkedHashMap<>();
        for (Build dependency : dependencies) {
            for (Artifact artifact : dependency.artifacts()) {
                if (artifact.type().equals("dotenv")) {
                    read(artifact)
                            .lines()
                            .map(String::strip)
                            .filter(line -> line.contains("="))
                            .forEach(line -> {
                                int equals = line.indexOf('=');
                                all.put(line.substring(0, equals), line.substring(equals + 1));
                            });
                }
            }
        }
        return all;
    }

    private static String read(Artifact artifact) {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(artifact.file()))) {
            return new String(in.readNBytes(5 << 10), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read dotenv report " + artifact.file(), e);
        }
    }
}

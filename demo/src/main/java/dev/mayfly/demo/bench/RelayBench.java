package dev.mayfly.demo.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.demo.DemoProgram;
import dev.mayfly.demo.ServerProcess;
import dev.mayfly.demo.Servers;
import dev.mayfly.testkit.gitlab.GitUser;
import dev.mayfly.testkit.gitlab.SimulatedGitLab;
import dev.mayfly.testkit.gitlab.SimulatedGitLabOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.sourceforge.argparse4j.ArgumentParsers;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.Namespace;
import org.jspecify.annotations.Nullable;

/** {@code bin/bench relay}: the same calls straight to a simulated GitLab and through a relay, taking turns. */
public final class RelayBench {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern FLAGS = Pattern.compile("(?m)^flags=\"(.*)\"$");
    private static final Pattern PORT = Pattern.compile("(?m)^" + BareRelay.PORT + "(\\d+)$");
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int AT_ONCE = 10;
    private static final int WARM_UP = 500;
    private static final double LEAST_THROUGHPUT = 0.8;
    private static final double MOST_ADDED_MILLIS = 2;
    private static final double MOST_MORE_MIB = 32;

    private final DemoProgram program;
    private final int calls;
    private final int transfers;
    private final long size;
    private final List<Measurement> measurements = new ArrayList<>();
    private final List<Goal> goals = new ArrayList<>();
    private final Map<String, Double> memory = new LinkedHashMap<>();

    private RelayBench(DemoProgram program, Namespace arguments) {
        this.program = program;
        this.calls = arguments.getInt("calls");
        this.transfers = arguments.getInt("transfers");
        this.size = arguments.getLong("mib") << 20;
    }

    public static void main(String[] args) {
        // One request per connection, as the relay has it: else the straight way would be another.
        System.setProperty("http.keepAlive", "false");
        DemoProgram program = new DemoProgram("bench");
        Namespace arguments = program.parse(parser(), args);
        System.exit(program.exitCode(() -> new RelayBench(program, arguments).run(arguments.getString("json"))));
    }

    private static ArgumentParser parser() {
        ArgumentParser parser = ArgumentParsers.newFor("bin/bench relay").build();
        parser.addArgument("--calls").type(Integer.class).setDefault(500);
        parser.addArgument("--transfers").type(Integer.class).setDefault(10);
        parser.addArgument("--mib").type(Long.class).setDefault(64L);
        parser.addArgument("--json");
        return parser;
    }

    private int run(@Nullable String json) {
        double load = BenchReport.loadAverage();
        Path work = Servers.temporaryFolder("mayfly-bench-");
        try (SimulatedGitLab gitlab =
                SimulatedGitLab.start(SimulatedGitLabOptions.plainOnLoopback(work.resolve("gitlab")))) {
            JsonNode job = runningJob(gitlab, work);
            measure(gitlab, job.get("id").asLong(), job.get("token").asText(), work);
        } catch (IOException e) {
            throw new UncheckedIOException("the simulated GitLab can't be started in " + work, e);
        } finally {
            Servers.deleteTree(work);
        }
        BenchReport report = new BenchReport(
                BenchReport.thisMachine(),
                Map.of("relay", load),
                measurements,
                List.of(),
                memory,
                Map.of(),
                Map.of(),
                List.of(),
                goals);
        report.tell(program, json);
        return 0;
    }

    private void measure(SimulatedGitLab gitlab, long job, String token, Path work) {
        URI straight = URI.create(gitlab.url());
        Path log = work.resolve("relay.log");
        List<String> command = new ArrayList<>(List.of("java"));
        command.addAll(agentFlags());
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                BareRelay.class.getName(),
                Integer.toString(straight.getPort()),
                Long.toString(job)));
        try (ServerProcess relay = new ServerProcess("relay", command, Map.of("MALLOC_ARENA_MAX", "2"), log)) {
            relay.start(() -> PORT.matcher(Servers.read(log)).find(), PATIENCE);
            Matcher port = PORT.matcher(Servers.read(log));
            if (!port.find()) {
                throw new IllegalStateException("the relay named no port in " + log);
            }
            RelayTransfers floor = new RelayTransfers(straight, job, token);
            RelayTransfers relayed = new RelayTransfers(URI.create("http://127.0.0.1:" + port.group(1)), job, token);
            latency(floor, relayed);
            ProcessFacts process = new ProcessFacts(relay.pid());
            double before = process.residentMib();
            memory(relayed, process, before);
            throughput(floor, relayed);
        }
    }

    private void latency(RelayTransfers floor, RelayTransfers relayed) {
        program.say("%d small calls each way".formatted(calls));
        takeTurns(WARM_UP, floor::touch, relayed::touch);
        Turns turns = takeTurns(calls, floor::touch, relayed::touch);
        Measurement one = turns.measurement("PUT state=running", "the caller's clock");
        measurements.add(one);
        goals.add(Goal.atMost(
                "added to a call, p50", turns.relayed().p50() - turns.floor().p50(), MOST_ADDED_MILLIS, "ms"));
    }

    private void throughput(RelayTransfers floor, RelayTransfers relayed) {
        program.say("%d uploads and downloads of %d MiB each way".formatted(transfers, size >> 20));
        takeTurns(1, () -> floor.upload(size), () -> relayed.upload(size));
        add("upload", takeTurns(transfers, () -> floor.upload(size), () -> relayed.upload(size)));
        add("download", takeTurns(transfers, () -> floor.download(size), () -> relayed.download(size)));
    }

    /** A throughput of 80 % takes 1 / 0.8 of the time. */
    private void add(String what, Turns turns) {
        String name = "%s of %d MiB".formatted(what, size >> 20);
        measurements.add(turns.measurement(name, "the caller's clock"));
        goals.add(Goal.atMost(
                name + ", p50 (80 % of the throughput)",
                turns.relayed().p50(),
                turns.floor().p50() / LEAST_THROUGHPUT,
                "ms"));
    }

    /** @param before what it took after small calls alone */
    private void memory(RelayTransfers relayed, ProcessFacts relay, double before) {
        program.say("%d transfers at once".formatted(AT_ONCE));
        relayed.upload(size);
        double most = before;
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        try {
            List<CompletableFuture<Duration>> all = new ArrayList<>();
            for (int i = 0; i < AT_ONCE; i++) {
                boolean up = i % 2 == 0;
                all.add(CompletableFuture.supplyAsync(
                        () -> up ? relayed.upload(size) : relayed.download(size), threads));
            }
            CompletableFuture<Void> over = CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
            while (!over.isDone()) {
                most = Math.max(most, relay.residentMib());
            }
            over.join();
        } finally {
            threads.shutdownNow();
        }
        memory.put("relay alone, with an agent's flags, after small calls", before);
        memory.put("    most while %d transfers run".formatted(AT_ONCE), most);
        goals.add(Goal.atMost(
                "more memory while %d transfers run".formatted(AT_ONCE), most - before, MOST_MORE_MIB, "MiB"));
    }

    private interface Call {
        Duration time();
    }

    private record Turns(Distribution relayed, Distribution floor) {

        Measurement measurement(String name, String how) {
            return new Measurement(name + " through the relay", how, relayed, "the same straight to GitLab", floor);
        }
    }

    private static Turns takeTurns(int count, Call floor, Call relayed) {
        List<Duration> floors = new ArrayList<>();
        List<Duration> ours = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            floors.add(floor.time());
            ours.add(relayed.time());
        }
        return new Turns(Distribution.of(ours), Distribution.of(floors));
    }

    private static List<String> agentFlags() {
        Path agent = Path.of(System.getenv("MAYFLY_ROOT"), "bin/agent");
        Matcher flags = FLAGS.matcher(Servers.read(agent));
        if (!flags.find()) {
            throw new IllegalStateException(agent + " names no flags");
        }
        return List.of(flags.group(1).split(" ", -1));
    }

    private static JsonNode runningJob(SimulatedGitLab gitlab, Path work) {
        Map<String, String> root = Map.of("PRIVATE-TOKEN", gitlab.rootToken());
        JsonNode project = post(gitlab, "/api/v4/projects", root, Map.of("path", "relayed", "name", "relayed"));
        GitUser.rootOf(gitlab)
                .push(
                        work.resolve("repository"),
                        project.get("path_with_namespace").asText(),
                        Map.of(".gitlab-ci.yml", "job: {tags: [bench], script: [echo]}\n"));
        JsonNode runner = post(
                gitlab,
                "/api/v4/user/runners",
                root,
                Map.of(
                        "runner_type",
                        "project_type",
                        "project_id",
                        project.get("id").asLong(),
                        "tag_list",
                        "bench"));
        return post(
                gitlab,
                "/api/v4/jobs/request",
                Map.of(),
                Map.of("token", runner.get("token").asText(), "system_id", "s_bench", "info", Map.of("name", "bench")));
    }

    private static JsonNode post(
            SimulatedGitLab gitlab, String path, Map<String, String> headers, Map<String, ?> body) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(gitlab.url() + path))
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)));
            headers.forEach(request::header);
            HttpResponse<String> answer =
                    HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 201) {
                throw new IllegalStateException(path + ": " + answer.statusCode() + " " + answer.body());
            }
            return JSON.readTree(answer.body());
        } catch (IOException e) {
            throw new UncheckedIOException(path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted at " + path, e);
        }
    }
}

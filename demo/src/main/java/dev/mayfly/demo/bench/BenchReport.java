package dev.mayfly.demo.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.mayfly.demo.DemoProgram;
import dev.mayfly.demo.Servers;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * All figures of a run, for people and as JSON.
 *
 * @param load the machine's one-minute load average at each part's beginning
 * @param steps the parts of a launch's way
 * @param memory resident MiB
 * @param cpu milliseconds for each job
 * @param used percent of a fleet
 * @param growth a fleet's figures, ever later
 */
record BenchReport(
        String machine,
        Map<String, Double> load,
        List<Measurement> measurements,
        List<Measurement> steps,
        Map<String, Double> memory,
        Map<String, Double> cpu,
        Map<String, Double> used,
        List<Growth> growth,
        List<Goal> goals) {

    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL);
    private static final String ROW = "%-66s %6s %9s %9s %9s %9s%n";

    private static final String GROWTH_ROW = "%-30s %32s %10s%n";

    /** What a run was measured on. */
    static String thisMachine() {
        return "%d CPUs, Java %s"
                .formatted(Runtime.getRuntime().availableProcessors(), System.getProperty("java.version"));
    }

    /** Of the last minute. */
    static double loadAverage() {
        return Double.parseDouble(Servers.read(Path.of("/proc/loadavg")).split(" ", 2)[0]);
    }

    /** Prints it and, if a file is named, writes it as JSON. */
    void tell(DemoProgram program, @Nullable String json) {
        System.out.println(table());
        if (json != null) {
            writeTo(Path.of(json));
            program.say("written to " + json);
        }
    }

    void writeTo(Path file) {
        try {
            Servers.write(file.toAbsolutePath(), JSON.writeValueAsString(this) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the report can't be written as JSON", e);
        }
    }

    /** For the terminal. */
    String table() {
        StringBuilder text = new StringBuilder(row("milliseconds", "n", "p50", "p90", "p99", "max"));
        measurements.forEach(one -> append(text, one));
        if (!steps.isEmpty()) {
            text.append("\nthe way of a launch\n");
            steps.forEach(one -> append(text, one));
        }
        if (!memory.isEmpty()) {
            text.append("\nresident memory, MiB\n");
            memory.forEach((what, mib) -> text.append("%-66s %16.1f%n".formatted(what, mib)));
        }
        if (!cpu.isEmpty()) {
            text.append("\nmilliseconds of CPU for each job\n");
            cpu.forEach((what, millis) -> text.append("%-78s %9.1f%n".formatted(what, millis)));
        }
        if (!used.isEmpty()) {
            text.append("\npercent of the fleet in use, CPU and memory in the mean\n");
            used.forEach((how, percent) -> text.append("%-66s %16.1f%n".formatted(how, percent)));
        }
        growth.forEach(one -> append(text, one));
        text.append("\ngoals\n");
        goals.forEach(goal -> text.append(line(goal)));
        text.append("\n%s; load average: %s%n".formatted(machine, load));
        return text.toString();
    }

    private static void append(StringBuilder text, Measurement one) {
        text.append(row(one.name(), one.measured()));
        if (one.floor() != null) {
            text.append(row("    floor: " + one.floorIs(), one.floor()));
        }
    }

    private static void append(StringBuilder text, Growth growth) {
        text.append("%nafter %d jobs, %.2f a second%n".formatted(growth.jobs(), growth.jobsASecond()));
        text.append(GROWTH_ROW.formatted("", "ms of CPU for each of the last", "MiB"));
        growth.cpu()
                .forEach((what, millis) -> text.append(GROWTH_ROW.formatted(
                        what,
                        number(millis),
                        number(Objects.requireNonNull(growth.memory().get(what))))));
    }

    private static String line(Goal goal) {
        return "%-6s %-59s %9.2f, %s %.2f %s%n"
                .formatted(
                        goal.met() ? "met" : "MISSED",
                        goal.text(),
                        goal.measured(),
                        goal.bound(),
                        goal.limit(),
                        goal.unit());
    }

    private static String row(String name, Distribution times) {
        return row(
                name,
                Integer.toString(times.count()),
                number(times.p50()),
                number(times.p90()),
                number(times.p99()),
                number(times.max()));
    }

    private static String row(String... cells) {
        return ROW.formatted((Object[]) cells);
    }

    private static String number(double millis) {
        return String.format(Locale.ROOT, "%.2f", millis);
    }
}

package dev.mayfly.demo;

import dev.mayfly.demo.PipelineRun.JobState;
import dev.mayfly.demo.Report.VmReport;
import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Says each change of a job once, what it waits for if that is not us, and at the end everything in a table. */
final class ProgressView {

    private static final String ROW = "%-6s %-22s %-9s %-11s %-8s %-7s %7s %7s  %s%n";

    /** A webhook and a look at GitLab take less; what is unknown to us by then stays so. */
    private static final Duration NOT_OURS = Duration.ofSeconds(15);

    private final Map<Long, String> shown = new HashMap<>();
    private final Map<Long, Instant> pendingSince = new HashMap<>();
    private final Consumer<String> say;

    ProgressView(Consumer<String> say) {
        this.say = say;
    }

    void show(List<JobState> jobs) {
        for (JobState job : jobs) {
            String phase = job.text("phase");
            VmReport vm = job.vm();
            String line = "%-22s %-9s %s%s"
                    .formatted(
                            job.name(),
                            job.status(),
                            phase == null ? "" : phase.toLowerCase(java.util.Locale.ROOT),
                            vm == null ? "" : " in " + vm.id() + " on " + vm.host());
            if (!line.equals(shown.put(job.id(), line))) {
                say.accept(line.strip());
            }
            if (job.inMayfly() == null && job.status().equals("pending")) {
                hintIfNotOurs(job);
            }
        }
    }

    private void hintIfNotOurs(JobState job) {
        Instant now = Instant.now();
        Instant since = pendingSince.putIfAbsent(job.id(), now);
        if (since != null && since.isBefore(now.minus(NOT_OURS))) {
            pendingSince.put(job.id(), Instant.MAX);
            say.accept(job.name() + " waits for a runner that is not ours: give it tags such as"
                    + " [actuated-2cpu-4gb, shell], cancel it in GitLab, or end with Ctrl-C");
        }
    }

    String table(List<JobState> jobs) {
        StringBuilder table = new StringBuilder();
        table.append(ROW.formatted("job", "name", "status", "vm", "host", "size", "waited", "ran", "reason"));
        for (JobState job : jobs) {
            VmReport vm = job.vm();
            String reason = job.reason();
            table.append(ROW.formatted(
                    job.id(),
                    job.name(),
                    job.status(),
                    vm == null ? "-" : vm.id(),
                    vm == null ? "-" : vm.host(),
                    vm == null
                            ? "-"
                            : VmSize.of(vm.vcpus() * 1000, vm.memoryMib(), 0).label(),
                    seconds(job.text("queuedAt"), job.text("startedAt")),
                    seconds(job.text("startedAt"), job.text("finishedAt")),
                    reason == null ? "" : reason));
        }
        return table.toString();
    }

    private static String seconds(@Nullable String from, @Nullable String to) {
        if (from == null || to == null) {
            return "-";
        }
        return "%.1fs"
                .formatted(
                        Duration.between(Instant.parse(from), Instant.parse(to)).toMillis() / 1000.0);
    }
}

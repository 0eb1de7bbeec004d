package dev.mayfly.workflows.job;

import java.math.BigDecimal;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a job's tags ask for: {@code <prefix>[-<N>cpu][-<M>gb|mb][-arm64|-x86_64]}, beside it the executor's tag and
 * {@code <prefix>-host=<label>} for each label that its host must have. Pure.
 * Tags are compared as GitLab does, letter by letter; other runners' tags are none of our business. A tag list that is
 * ours but does not parse is refused with a reason, never run in another size.
 */
public final class TagGrammar {

    private static final String HOST_LABEL = "-host=";
    private static final int MIB_PER_GIB = 1024;
    private static final Pattern SIZE =
            Pattern.compile("(?:-(\\d{1,9}(?:\\.\\d{1,3})?)cpu)?(?:-(\\d{1,9})(gb|mb))?(?:-(arm64|x86_64))?");

    private final String prefix;
    private final String shellTag;
    private final Set<Executor> executors;
    private final VmSize defaults;
    private final VmSize smallest;
    private final VmSize largest;

    /**
     * A grammar.
     *
     * @param prefix what our tags start with, such as {@code actuated}
     * @param shellTag the tag that asks for the shell executor, such as {@code shell}
     * @param executors the executors that this installation runs
     * @param defaults what a tag without CPU, memory or architecture gets; also every VM's disk
     * @param smallest the least that may be asked for
     * @param largest the most that may be asked for
     */
    public TagGrammar(
            String prefix, String shellTag, Set<Executor> executors, VmSize defaults, VmSize smallest, VmSize largest) {
        this.prefix = prefix;
        this.shellTag = shellTag;
        this.executors = Set.copyOf(executors);
        this.defaults = defaults;
        this.smallest = smallest;
        this.largest = largest;
    }

    /** What became of a tag list. */
    public sealed interface Result {}

    /**
     * The tags ask for us, and for this.
     *
     * @param labels what the host must have, sorted
     */
    public record Ours(VmSize size, Executor executor, List<String> labels) implements Result {

        public Ours {
            labels = List.copyOf(labels);
        }
    }

    /** No tag is ours. */
    public record NotOurs() implements Result {}

    /** The tags ask for us, but can't be served; {@code reason} is one sentence for the job's author. */
    public record Refused(String reason) implements Result {}

    /** What these tags ask for. Never throws, whatever the tags hold. */
    public Result parse(List<String> tags) {
        List<String> ours = tags.stream().filter(this::isOurs).distinct().toList();
        if (ours.isEmpty()) {
            return new NotOurs();
        }
        List<String> labels = labelsIn(ours);
        for (String label : labels) {
            if (!HostLabels.isLabel(label)) {
                return new Refused(
                        "the tag %s%s%s: %s".formatted(prefix, HOST_LABEL, label, HostLabels.refusal(label)));
            }
        }
        List<String> sizes = ours.stream().filter(tag -> !isLabel(tag)).toList();
        if (sizes.size() > 1) {
            return new Refused("the tags %s name more than one size; keep one of them".formatted(sizes));
        }
        Executor executor = executorOf(tags);
        Result result = parseSize(sizes.isEmpty() ? prefix : sizes.get(0), executor, labels);
        if (result instanceof Ours && !executors.contains(executor)) {
            return new Refused(
                    "the tag %s asks for the %s executor, which is not available here; add the tag %s to run the job's script in the VM itself"
                            .formatted(ours.get(0), JobOutcome.slug(executor), shellTag));
        }
        return result;
    }

    /** The executor that these tags ask for, whether or not they name a size: docker unless the shell tag is there. */
    public Executor executorOf(List<String> tags) {
        return tags.contains(shellTag) ? Executor.SHELL : Executor.DOCKER;
    }

    /**
     * The inverse of parsing, such as {@code actuated-0.5cpu-8gb}; a size's disk is no part of a tag, its architecture
     * only if it isn't what a tag without one means.
     */
    public String print(VmSize size) {
        String cpus =
                BigDecimal.valueOf(size.milliCpus(), 3).stripTrailingZeros().toPlainString();
        boolean whole = size.memoryMib() % MIB_PER_GIB == 0;
        return "%s-%scpu-%d%s%s"
                .formatted(
                        prefix,
                        cpus,
                        whole ? size.memoryMib() / MIB_PER_GIB : size.memoryMib(),
                        whole ? "gb" : "mb",
                        size.arch() == defaults.arch() ? "" : "-" + size.arch().tag());
    }

    /**
     * How a job that ran out of memory gets more, as the end of a sentence for its author.
     *
     * @param used what it ran in
     * @param fits whether this installation has a host for a size
     */
    public String memoryAdvice(VmSize used, Predicate<VmSize> fits) {
        int twice = (int) Math.min(2L * used.memoryMib(), largest.memoryMib());
        VmSize more = new VmSize(used.arch(), used.milliCpus(), twice, used.diskMib());
        return twice > used.memoryMib() && fits.test(more)
                ? "it had %s; ask for more by the tag %s".formatted(memory(used), print(more))
                : "it had %s, and no tag gives it twice that here; let it use less".formatted(memory(used));
    }

    private static String memory(VmSize size) {
        return size.memoryMib() % MIB_PER_GIB == 0
                ? size.memoryMib() / MIB_PER_GIB + " GiB"
                : size.memoryMib() + " MiB";
    }

    private boolean isLabel(String tag) {
        return tag.startsWith(prefix + HOST_LABEL);
    }

    private List<String> labelsIn(List<String> ours) {
        int start = prefix.length() + HOST_LABEL.length();
        return ours.stream()
                .filter(this::isLabel)
                .map(tag -> tag.substring(start))
                .sorted()
                .toList();
    }

    private boolean isOurs(String tag) {
        return tag.equals(prefix) || tag.startsWith(prefix + "-");
    }

    private Result parseSize(String tag, Executor executor, List<String> labels) {
        Matcher size = SIZE.matcher(tag.substring(prefix.length()));
        if (!size.matches()) {
            return new Refused("the tag %s does not parse; write %s[-<N>cpu][-<M>gb|mb][-arm64|-x86_64], such as %s"
                    .formatted(tag, prefix, print(defaults)));
        }
        Arch arch = size.group(4) == null ? defaults.arch() : Arch.ofTag(size.group(4));
        long milliCpus = size.group(1) == null
                ? defaults.milliCpus()
                : new BigDecimal(size.group(1)).movePointRight(3).longValueExact();
        long memoryMib = size.group(2) == null
                ? defaults.memoryMib()
                : Long.parseLong(size.group(2)) * ("gb".equals(size.group(3)) ? MIB_PER_GIB : 1);
        return bounded(tag, arch, milliCpus, memoryMib, executor, labels);
    }

    private Result bounded(
            String tag, Arch arch, long milliCpus, long memoryMib, Executor executor, List<String> labels) {
        if (milliCpus < smallest.milliCpus() || memoryMib < smallest.memoryMib()) {
            return new Refused("the tag %s asks for too little; ask for at least %s".formatted(tag, print(smallest)));
        }
        if (milliCpus > largest.milliCpus() || memoryMib > largest.memoryMib()) {
            return new Refused("the tag %s asks for too much; ask for at most %s".formatted(tag, print(largest)));
        }
        return new Ours(new VmSize(arch, (int) milliCpus, (int) memoryMib, defaults.diskMib()), executor, labels);
    }
}

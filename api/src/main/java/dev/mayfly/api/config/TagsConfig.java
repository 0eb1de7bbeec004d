package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.TagGrammar;
import dev.mayfly.workflows.job.VmSize;
import jakarta.validation.Valid;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotEmpty;
import jakarta.validation.constraints.Pattern;
import java.math.BigDecimal;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a job's tags are read.
 *
 * @param prefix what our tags start with
 * @param shellTag the tag that asks for the shell executor
 * @param executors the executors that this installation runs; a job that asks for another one is refused
 * @param defaults what a tag without CPU or memory gets
 * @param arch the architecture of a tag without one
 * @param smallest the least that may be asked for
 * @param largest the most that may be asked for
 * @param diskMib every VM's scratch disk
 */
public record TagsConfig(
        @Pattern(regexp = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", message = "must be a plain tag")
        String prefix,

        @Pattern(regexp = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", message = "must be a plain tag")
        String shellTag,

        @NotEmpty Set<Executor> executors,
        @Valid Size defaults,
        Arch arch,
        @Valid Size smallest,
        @Valid Size largest,
        @Min(64) @Max(16_777_216) int diskMib) {

    private static final int DEFAULT_DISK_MIB = 8192;

    @JsonCreator
    static TagsConfig of(
            @JsonProperty("prefix") @Nullable String prefix,
            @JsonProperty("shellTag") @Nullable String shellTag,
            @JsonProperty("executors") @Nullable Set<Executor> executors,
            @JsonProperty("defaults") @Nullable Size defaults,
            @JsonProperty("arch") @Nullable Arch arch,
            @JsonProperty("smallest") @Nullable Size smallest,
            @JsonProperty("largest") @Nullable Size largest,
            @JsonProperty("diskMib") @Nullable Integer diskMib) {
        return new TagsConfig(
                prefix == null ? "actuated" : prefix,
                shellTag == null ? "shell" : shellTag,
                executors == null ? EnumSet.allOf(Executor.class) : Set.copyOf(executors),
                defaults == null ? new Size(new BigDecimal(2), 2048) : defaults,
                arch == null ? Arch.X86_64 : arch,
                smallest == null ? new Size(new BigDecimal("0.25"), 256) : smallest,
                largest == null ? new Size(new BigDecimal(32), 65_536) : largest,
                diskMib == null ? DEFAULT_DISK_MIB : diskMib);
    }

    /** The defaults alone: what a file without {@code tags} gets. */
    public static TagsConfig standard() {
        return of(null, null, null, null, null, null, null, null);
    }

    public TagGrammar grammar() {
        return new TagGrammar(prefix, shellTag, executors, size(defaults), size(smallest), size(largest));
    }

    /** The least that a job may ask for. */
    public VmSize smallestSize() {
        return size(smallest);
    }

    private VmSize size(Size size) {
        return new VmSize(arch, size.cpu().movePointRight(3).intValueExact(), size.memoryMib(), diskMib);
    }

    /** @param cpu CPUs, fractions allowed down to thousandths */
    public record Size(
            @DecimalMin("0.001") BigDecimal cpu, @Min(1) int memoryMib) {

        @JsonCreator
        static Size of(
                @JsonProperty(value = "cpu", required = true) BigDecimal cpu,
                @JsonProperty(value = "memoryMib", required = true) int memoryMib) {
            return new Size(cpu, memoryMib);
        }
    }
}

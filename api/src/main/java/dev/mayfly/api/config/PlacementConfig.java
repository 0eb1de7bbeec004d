package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.mayfly.activities.placement.Limit;
import dev.mayfly.activities.placement.Order;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.workflows.job.VmSize;
import jakarta.validation.Valid;
import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * In which order jobs wait, and where they go. A {@code path} is a project or a group with all its projects; without one
 * the whole instance is meant.
 *
 * @param spread onto the emptiest host instead of the fullest
 * @param cpuOvercommit CPUs promised for each that a host has
 * @param passesBeforeReserve how many jobs may pass one that waits for room before a host is kept for it
 * @param mostStarting how many VMs may be between their launch and their job at once
 * @param promoteEvery every so many grants the job that has waited longest is put before all others
 * @param priorities the first that fits a job counts
 * @param weights the first that covers a project counts
 * @param limits each counts, for all that it covers together
 */
public record PlacementConfig(
        boolean spread,
        @DecimalMin("1") @DecimalMax("16") BigDecimal cpuOvercommit,
        @Min(1) int passesBeforeReserve,
        @Min(1) int mostStarting,
        @Min(1) int promoteEvery,
        @Valid List<PriorityOf> priorities,
        @Valid List<WeightOf> weights,
        @Valid List<LimitOf> limits) {

    @JsonCreator
    static PlacementConfig of(
            @JsonProperty("spread") @Nullable Boolean spread,
            @JsonProperty("cpuOvercommit") @Nullable BigDecimal cpuOvercommit,
            @JsonProperty("passesBeforeReserve") @Nullable Integer passesBeforeReserve,
            @JsonProperty("mostStarting") @Nullable Integer mostStarting,
            @JsonProperty("promoteEvery") @Nullable Integer promoteEvery,
            @JsonProperty("priorities") @Nullable List<PriorityOf> priorities,
            @JsonProperty("weights") @Nullable List<WeightOf> weights,
            @JsonProperty("limits") @Nullable List<LimitOf> limits) {
        return new PlacementConfig(
                spread != null && spread,
                cpuOvercommit == null ? BigDecimal.ONE : cpuOvercommit,
                passesBeforeReserve == null ? Rules.standard().passesBeforeReserve() : passesBeforeReserve,
                mostStarting == null ? Rules.standard().mostStarting() : mostStarting,
                promoteEvery == null ? Order.standard().promoteEvery() : promoteEvery,
                priorities == null ? List.of() : List.copyOf(priorities),
                weights == null ? List.of() : List.copyOf(weights),
                limits == null ? List.of() : List.copyOf(limits));
    }

    /** What a file without {@code placement} gets. */
    public static PlacementConfig standard() {
        return of(null, null, null, null, null, null, null, null);
    }

    @AssertTrue(message = "limits the same path twice; keep one of them")
    boolean isEachPathLimitedOnce() {
        return limits.stream()
                        .map(limit -> limit.instance() + ":" + limit.path())
                        .distinct()
                        .count()
                == limits.size();
    }

    /** The instances that it names. */
    public List<String> instances() {
        return Stream.of(
                        priorities.stream().map(PriorityOf::instance),
                        weights.stream().map(WeightOf::instance),
                        limits.stream().map(LimitOf::instance))
                .flatMap(names -> names)
                .distinct()
                .toList();
    }

    /** @param smallest the least that a job may ask for */
    public Rules rules(VmSize smallest) {
        return new Rules(
                spread,
                cpuOvercommit.doubleValue(),
                passesBeforeReserve,
                smallest,
                mostStarting,
                limits.stream().map(LimitOf::limit).toList());
    }

    public Order order() {
        return new Order(
                promoteEvery,
                priorities.stream()
                        .map(one -> new Order.Priority(one.instance(), one.path(), one.ref(), one.priority()))
                        .toList(),
                weights.stream()
                        .map(one -> new Order.Weight(
                                one.instance(), one.path(), one.weight().doubleValue()))
                        .toList());
    }

    private static String path(@Nullable String path) {
        return path == null ? "" : path;
    }

    /**
     * @param ref a branch or tag, {@code *} at its end for any rest
     * @param priority higher comes first; jobs that no line fits have 0
     */
    public record PriorityOf(
            String instance,
            String path,
            String ref,
            @Min(-1000) @Max(1000) int priority) {

        @JsonCreator
        static PriorityOf of(
                @JsonProperty(value = "instance", required = true) String instance,
                @JsonProperty("path") @Nullable String path,
                @JsonProperty("ref") @Nullable String ref,
                @JsonProperty(value = "priority", required = true) int priority) {
            return new PriorityOf(instance, PlacementConfig.path(path), ref == null ? "*" : ref, priority);
        }
    }

    /** @param weight with twice the weight a project is granted twice as much; projects that no line covers have 1 */
    public record WeightOf(
            String instance,
            String path,
            @DecimalMin("0.001") @DecimalMax("1000") BigDecimal weight) {

        @JsonCreator
        static WeightOf of(
                @JsonProperty(value = "instance", required = true) String instance,
                @JsonProperty("path") @Nullable String path,
                @JsonProperty(value = "weight", required = true) BigDecimal weight) {
            return new WeightOf(instance, PlacementConfig.path(path), weight);
        }
    }

    /** The most that may run at once; what is null is not limited. */
    public record LimitOf(
            String instance,
            String path,
            @Min(0) @Nullable Integer jobs,

            @DecimalMin("0") @DecimalMax("2000000") @Nullable
            BigDecimal cpus,

            @Min(0) @Nullable Integer memoryMib) {

        @JsonCreator
        static LimitOf of(
                @JsonProperty(value = "instance", required = true) String instance,
                @JsonProperty("path") @Nullable String path,
                @JsonProperty("jobs") @Nullable Integer jobs,
                @JsonProperty("cpus") @Nullable BigDecimal cpus,
                @JsonProperty("memoryMib") @Nullable Integer memoryMib) {
            return new LimitOf(instance, PlacementConfig.path(path), jobs, cpus, memoryMib);
        }

        @AssertTrue(message = "limits nothing; give it jobs, cpus or memoryMib")
        boolean isAboutSomething() {
            return jobs != null || cpus != null || memoryMib != null;
        }

        Limit limit() {
            return new Limit(
                    instance,
                    path,
                    Optional.ofNullable(jobs).orElse(Integer.MAX_VALUE),
                    cpus == null ? Integer.MAX_VALUE : cpus.movePointRight(3).intValue(),
                    Optional.ofNullable(memoryMib).orElse(Integer.MAX_VALUE));
        }
    }
}

package dev.mayfly.workflows.job;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.job.TagGrammar.NotOurs;
import dev.mayfly.workflows.job.TagGrammar.Ours;
import dev.mayfly.workflows.job.TagGrammar.Refused;
import dev.mayfly.workflows.job.TagGrammar.Result;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** What holds for every tag list, of every installation. */
class TagGrammarPropertyTest {

    private static final VmSize DEFAULTS = TagGrammarTest.DEFAULTS;
    private static final VmSize SMALLEST = TagGrammarTest.SMALLEST;
    private static final VmSize LARGEST = TagGrammarTest.LARGEST;

    @Property
    void aPrintedSizeParsesToItself(
            @ForAll("prefixes") String prefix,
            @ForAll Arch arch,
            @ForAll @IntRange(min = 250, max = 16_000) int milliCpus,
            @ForAll @IntRange(min = 256, max = 65_536) int memoryMib) {
        TagGrammar grammar = grammar(prefix, EnumSet.allOf(Executor.class));
        var size = new VmSize(arch, milliCpus, memoryMib, DEFAULTS.diskMib());
        assertThat(grammar.parse(List.of(grammar.print(size)))).isEqualTo(new Ours(size, Executor.DOCKER, List.of()));
    }

    @Property
    void aSizeIsNeverOutOfBoundsAndOnlyOneTagNamesIt(
            @ForAll("prefixes") String prefix, @ForAll("tagLists") List<String> tags) {
        Result result = grammar(prefix, Set.of(Executor.SHELL)).parse(tags);
        if (result instanceof Ours ours) {
            assertThat(ours.size().milliCpus()).isBetween(SMALLEST.milliCpus(), LARGEST.milliCpus());
            assertThat(ours.size().memoryMib()).isBetween(SMALLEST.memoryMib(), LARGEST.memoryMib());
            assertThat(ours.executor()).isEqualTo(Executor.SHELL);
            assertThat(tags).contains("shell");
            assertThat(ours(prefix, tags).stream().filter(tag -> !tag.startsWith(prefix + "-host=")))
                    .hasSizeLessThanOrEqualTo(1);
        }
    }

    @Property
    void whoseTagsTheyAreDependsOnThePrefixAlone(
            @ForAll("prefixes") String prefix, @ForAll("tagLists") List<String> tags) {
        Result result = grammar(prefix, EnumSet.allOf(Executor.class)).parse(tags);
        assertThat(result instanceof NotOurs).isEqualTo(ours(prefix, tags).isEmpty());
    }

    /** Another runner's tags beside ours change nothing, wherever they stand. */
    @Property
    void foreignTagsAreLeftAlone(
            @ForAll("tagLists") List<String> tags, @ForAll("foreign") String foreign, @ForAll int where) {
        TagGrammar grammar = grammar("actuated", EnumSet.allOf(Executor.class));
        List<String> more = new ArrayList<>(tags);
        more.add(Math.floorMod(where, tags.size() + 1), foreign);
        assertThat(grammar.parse(more)).isEqualTo(grammar.parse(tags));
    }

    @Property
    void aRefusalNamesTheTagAndTheCure(@ForAll("prefixes") String prefix, @ForAll("tagLists") List<String> tags) {
        if (grammar(prefix, Set.of(Executor.SHELL)).parse(tags) instanceof Refused refused) {
            assertThat(ours(prefix, tags)).anyMatch(refused.reason()::contains);
            assertThat(refused.reason()).containsPattern("; (write|ask for|keep|add the tag|remove) ?");
        }
    }

    @Provide
    Arbitrary<String> prefixes() {
        return Arbitraries.of("actuated", "a", "vm.x", "team-ci", "actuated-4cpu");
    }

    @Provide
    Arbitrary<List<String>> tagLists() {
        return Arbitraries.oneOf(nearMisses(), anything(), foreign(), Arbitraries.just("shell"))
                .list()
                .ofMaxSize(4);
    }

    @Provide
    Arbitrary<String> foreign() {
        return Arbitraries.oneOf(
                Arbitraries.of("linux", "docker", "Actuated", "actuated_4cpu", "actuatedx-2cpu", "my-actuated-2cpu"),
                anything().filter(tag -> !isOurs("actuated", tag) && !tag.equals("shell")));
    }

    private static Arbitrary<String> anything() {
        return Arbitraries.strings().ofMaxLength(20);
    }

    /** Our prefix and then something that is, or almost is, a size. */
    private static Arbitrary<String> nearMisses() {
        Arbitrary<String> part = Arbitraries.oneOf(
                Arbitraries.integers().between(0, 20).map(n -> "-" + n + "cpu"),
                Arbitraries.integers().between(0, 70).map(n -> "-" + n + "gb"),
                Arbitraries.longs().greaterOrEqual(0).map(n -> "-" + n + "mb"),
                Arbitraries.bigDecimals().ofScale(3).map(n -> "-" + n + "cpu"),
                Arbitraries.of("-arm64", "-x86_64", "-host=h1", "-", "cpu", "-4", "-4CPU", "-٤cpu"));
        return part.list().ofMaxSize(3).map(parts -> "actuated" + String.join("", parts));
    }

    private static TagGrammar grammar(String prefix, Set<Executor> executors) {
        return new TagGrammar(prefix, "shell", executors, DEFAULTS, SMALLEST, LARGEST);
    }

    private static List<String> ours(String prefix, List<String> tags) {
        return tags.stream().filter(tag -> isOurs(prefix, tag)).distinct().toList();
    }

    private static boolean isOurs(String prefix, String tag) {
        return tag.equals(prefix) || tag.startsWith(prefix + "-");
    }
}

package dev.mayfly.workflows.job;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.job.TagGrammar.NotOurs;
import dev.mayfly.workflows.job.TagGrammar.Ours;
import dev.mayfly.workflows.job.TagGrammar.Refused;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a tag list means, as a table. Lists are written with a space between two tags. */
class TagGrammarTest {

    static final VmSize DEFAULTS = VmSize.of(2000, 4096, 10240);
    static final VmSize SMALLEST = VmSize.of(250, 256, 0);
    static final VmSize LARGEST = VmSize.of(16_000, 65_536, 0);

    private final TagGrammar grammar =
            new TagGrammar("actuated", "shell", EnumSet.allOf(Executor.class), DEFAULTS, SMALLEST, LARGEST);
    private final TagGrammar shellOnly =
            new TagGrammar("actuated", "shell", Set.of(Executor.SHELL), DEFAULTS, SMALLEST, LARGEST);

    @ParameterizedTest
    @CsvSource({
        "actuated-4cpu-8gb shell,           4000,  8192, SHELL",
        "shell actuated-4cpu-8gb,           4000,  8192, SHELL",
        "actuated-4cpu-8gb,                 4000,  8192, DOCKER",
        "actuated,                          2000,  4096, DOCKER",
        "actuated-4cpu,                     4000,  4096, DOCKER",
        "actuated-8gb,                      2000,  8192, DOCKER",
        "actuated-512mb,                    2000,   512, DOCKER",
        "actuated-0.5cpu,                    500,  4096, DOCKER",
        "actuated-0.25cpu-256mb,             250,   256, DOCKER",
        "actuated-1.125cpu-1gb,             1125,  1024, DOCKER",
        "actuated-16cpu-64gb,              16000, 65536, DOCKER",
        "actuated-x86_64,                   2000,  4096, DOCKER",
        "actuated-4cpu-8gb-x86_64 shell,    4000,  8192, SHELL",
        "linux actuated-4cpu gpu shell x64, 4000,  4096, SHELL",
        "actuated-4cpu actuated-4cpu,       4000,  4096, DOCKER",
    })
    void ours(String tags, int milliCpus, int memoryMib, Executor executor) {
        assertThat(grammar.parse(List.of(tags.split(" "))))
                .isEqualTo(new Ours(VmSize.of(milliCpus, memoryMib, DEFAULTS.diskMib()), executor, List.of()));
    }

    @Test
    void anArchitectureIsPartOfTheSize() {
        assertThat(grammar.parse(List.of("actuated-4cpu-arm64")))
                .isEqualTo(
                        new Ours(new VmSize(Arch.ARM64, 4000, 4096, DEFAULTS.diskMib()), Executor.DOCKER, List.of()));
    }

    @Test
    void aTagWithoutAnArchitectureMeansTheDefault() {
        var arm = new VmSize(Arch.ARM64, 2000, 4096, 10240);
        var onArm = new TagGrammar("actuated", "shell", EnumSet.allOf(Executor.class), arm, SMALLEST, LARGEST);
        assertThat(onArm.parse(List.of("actuated"))).isEqualTo(new Ours(arm, Executor.DOCKER, List.of()));
        assertThat(onArm.print(arm)).isEqualTo("actuated-2cpu-4gb");
        assertThat(onArm.print(DEFAULTS)).isEqualTo("actuated-2cpu-4gb-x86_64");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "shell",
                "linux docker",
                "Actuated-4cpu",
                "actuated4cpu",
                "actuatedx-4cpu",
                "x-actuated-4cpu",
                "-"
            })
    void othersTagsAreNoneOfOurBusiness(String tags) {
        assertThat(grammar.parse(List.of(tags.split(" ")))).isEqualTo(new NotOurs());
    }

    @Test
    void labelsOfHostsStandBesideTheSize() {
        assertThat(grammar.parse(
                        List.of("actuated-4cpu", "actuated-host=rack-7", "actuated-host=gpu", "actuated-host=gpu")))
                .isEqualTo(
                        new Ours(VmSize.of(4000, 4096, DEFAULTS.diskMib()), Executor.DOCKER, List.of("gpu", "rack-7")));
        assertThat(grammar.parse(List.of("actuated-host=gpu", "shell")))
                .as("the default size")
                .isEqualTo(new Ours(DEFAULTS, Executor.SHELL, List.of("gpu")));
        assertThat(grammar.parse(List.of("other-host=gpu"))).isEqualTo(new NotOurs());
    }

    @Test
    void noTagsAreNotOurs() {
        assertThat(grammar.parse(List.of())).isEqualTo(new NotOurs());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "actuated-                     | the tag actuated- does not parse; write actuated[-<N>cpu][-<M>gb|mb][-x86_64], such as actuated-2cpu-4gb",
                "actuated-8gb-4cpu             | the tag actuated-8gb-4cpu does not parse; write",
                "actuated-4CPU                 | the tag actuated-4CPU does not parse; write",
                "actuated-4cpu-8               | the tag actuated-4cpu-8 does not parse; write",
                "actuated--4cpu                | the tag actuated--4cpu does not parse; write",
                "actuated-.5cpu                | the tag actuated-.5cpu does not parse; write",
                "actuated-0.5gb                | the tag actuated-0.5gb does not parse; write",
                "actuated-4cpu-8gb-riscv64     | the tag actuated-4cpu-8gb-riscv64 does not parse; write",
                "actuated-9999999999cpu        | the tag actuated-9999999999cpu does not parse; write",
                "actuated-17cpu                | the tag actuated-17cpu asks for too much; ask for at most actuated-16cpu-64gb",
                "actuated-65gb                 | the tag actuated-65gb asks for too much; ask for at most actuated-16cpu-64gb",
                "actuated-999999999cpu         | the tag actuated-999999999cpu asks for too much; ask for at most actuated-16cpu-64gb",
                "actuated-999999999gb          | the tag actuated-999999999gb asks for too much; ask for at most actuated-16cpu-64gb",
                "actuated-0cpu                 | the tag actuated-0cpu asks for too little; ask for at least actuated-0.25cpu-256mb",
                "actuated-0.249cpu             | the tag actuated-0.249cpu asks for too little; ask for at least actuated-0.25cpu-256mb",
                "actuated-255mb                | the tag actuated-255mb asks for too little; ask for at least actuated-0.25cpu-256mb",
                "actuated-4cpu actuated-8gb    | the tags [actuated-4cpu, actuated-8gb] name more than one size; keep one of them",
                "actuated-host=                | the tag actuated-host=: '' is no host's label; write 1 to 63 letters",
                "actuated actuated-host=a/b    | the tag actuated-host=a/b: 'a/b' is no host's label; write 1 to 63 letters",
                "actuated-host=-gpu            | the tag actuated-host=-gpu: '-gpu' is no host's label; write 1 to 63 letters",
            })
    void refusedWithTheTagAndTheCure(String tags, String reason) {
        assertThat(grammar.parse(List.of(tags.split(" "))))
                .isInstanceOfSatisfying(
                        Refused.class, refused -> assertThat(refused.reason()).startsWith(reason));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1000 |  1024 | it had 1 GiB; ask for more by the tag actuated-1cpu-2gb",
                "500  |   768 | it had 768 MiB; ask for more by the tag actuated-0.5cpu-1536mb",
                "2000 | 12288 | it had 12 GiB; ask for more by the tag actuated-2cpu-24gb",
                "2000 | 40960 | it had 40 GiB, and no tag gives it twice that here; let it use less",
                "2000 | 65536 | it had 64 GiB, and no tag gives it twice that here; let it use less",
            })
    void moreMemoryIsAskedForByATagThatIsOneHere(int milliCpus, int memoryMib, String advice) {
        VmSize size = VmSize.of(milliCpus, memoryMib, 1);
        Predicate<VmSize> hosts = more -> more.memoryMib() <= 32_768;
        assertThat(grammar.memoryAdvice(size, hosts)).isEqualTo(advice);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "actuated-4 cpu",
                "actuated-4cpu ",
                "actuated-4cpu\u00a0",
                "actuated-\u0664cpu", // a digit, but none of ours
                "actuated-4\u0441pu", // a Cyrillic letter
                "actuated-\u22124cpu", // a minus sign
                "actuated-4cpu\n",
                "actuated--1gb",
                "actuated-99999999999999999999gb",
                "actuated-4294967297cpu",
            })
    void spacesAndLettersThatOnlyLookRightAndNumbersThatOverflowAreRefusedNotGuessed(String tag) {
        assertThat(grammar.parse(List.of(tag)))
                .isInstanceOfSatisfying(
                        Refused.class,
                        refused ->
                                assertThat(refused.reason()).startsWith("the tag " + tag + " does not parse; write"));
    }

    @Test
    void anExecutorThatIsNotThereIsRefusedWithTheTagThatHelps() {
        assertThat(shellOnly.parse(List.of("actuated-4cpu")))
                .isEqualTo(
                        new Refused(
                                "the tag actuated-4cpu asks for the docker executor, which is not available here; add the tag shell to run the job's script in the VM itself"));
        assertThat(shellOnly.parse(List.of("actuated-4cpu", "shell"))).isInstanceOf(Ours.class);
    }

    @Test
    void prefixAndShellTagAreTheInstallations() {
        var theirs = new TagGrammar("vm.x", "bare", Set.of(Executor.SHELL), DEFAULTS, SMALLEST, LARGEST);
        assertThat(theirs.parse(List.of("vm.x-4cpu", "bare")))
                .isEqualTo(new Ours(VmSize.of(4000, 4096, 10240), Executor.SHELL, List.of()));
        assertThat(theirs.parse(List.of("vmmx-4cpu", "bare"))).isEqualTo(new NotOurs());
        assertThat(theirs.parse(List.of("actuated-4cpu", "shell"))).isEqualTo(new NotOurs());
    }
}

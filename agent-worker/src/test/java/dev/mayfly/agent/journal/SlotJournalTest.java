package dev.mayfly.agent.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.agent.journal.SlotRecord.Stage;
import dev.mayfly.workflows.job.VmSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SlotJournalTest {

    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    @TempDir
    Path stateDir;

    private SlotJournal journal;

    @BeforeEach
    void open() throws IOException {
        journal = at(NOW);
    }

    private SlotJournal at(Instant now) throws IOException {
        return new SlotJournal(stateDir, Clock.fixed(now, ZoneOffset.UTC), Duration.ofHours(24));
    }

    private static SlotRecord slot(String id) {
        return new SlotRecord(
                id, 3, VmSize.of(2000, 2048, 4096), "gl", "g/a #1", Stage.ACTIVE, 0, false, 5, "ab".repeat(16));
    }

    private Path record(String id) {
        return journal.folder(id).resolve("slot.json");
    }

    @Test
    void whatWasWrittenIsReadBackByTheNextAgent() throws Exception {
        SlotRecord running = slot("k3x9p-1").nextBoot().nowServed();
        journal.write(slot("k3x9p-1"));
        journal.write(running);
        journal.write(slot("k3x9p-2").at(Stage.DESTROYING));

        assertThat(at(NOW.plusSeconds(9)).readAll().records())
                .containsExactlyInAnyOrder(running, slot("k3x9p-2").at(Stage.DESTROYING));
    }

    @Test
    void aFolderFromACrashBeforeItsRecordIsToldApartFromASlot() throws Exception {
        Files.createDirectories(journal.folder("k3x9p-1"));
        Files.writeString(journal.folder("k3x9p-1").resolve(".slot.json.new"), "{\"slotId\":\"k3x");

        SlotJournal.Found found = journal.readAll();

        assertThat(found.unborn()).containsExactly("k3x9p-1");
        assertThat(found.records()).isEmpty();
        assertThat(found.damaged()).isEmpty();
    }

    @Test
    void aTornOrEmptyOrForeignRecordIsDamageAndTheOthersAreStillRead() throws Exception {
        journal.write(slot("k3x9p-1"));
        journal.write(slot("k3x9p-2"));
        journal.write(slot("k3x9p-3"));
        journal.write(slot("k3x9p-4"));
        journal.write(slot("k3x9p-5"));
        String whole = Files.readString(record("k3x9p-2"));
        Files.writeString(record("k3x9p-2"), whole.substring(0, whole.length() / 2));
        Files.writeString(record("k3x9p-3"), "");
        Files.writeString(record("k3x9p-4"), "{}");
        Files.writeString(record("k3x9p-5"), whole);

        SlotJournal.Found found = journal.readAll();

        assertThat(found.records()).containsExactly(slot("k3x9p-1"));
        assertThat(found.damaged()).containsExactlyInAnyOrder("k3x9p-2", "k3x9p-3", "k3x9p-4", "k3x9p-5");
    }

    @Test
    void aRecordOfANewerAgentIsNotGuessedAtAndTheMessageNamesTheCure() throws Exception {
        journal.write(slot("k3x9p-1"));
        Files.writeString(
                record("k3x9p-1"), Files.readString(record("k3x9p-1")).replace("\"version\":1", "\"version\":2"));

        assertThatThrownBy(() -> journal.readAll())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("format version 2")
                .hasMessageContaining("start the newer agent");
    }

    @Test
    void aRecordOfAnAgentThatWroteNoVersionIsRead() throws Exception {
        journal.write(slot("k3x9p-1"));
        Files.writeString(
                record("k3x9p-1"), Files.readString(record("k3x9p-1")).replace(",\"version\":1", ",\"more\":true"));

        assertThat(journal.readAll().records()).containsExactly(slot("k3x9p-1"));
    }

    @Test
    void aBuriedSlotLeavesATombstoneAndNothingElse() throws Exception {
        journal.write(slot("k3x9p-1"));
        Files.createDirectories(journal.folder("k3x9p-1").resolve("boot-1/vm"));

        journal.bury("k3x9p-1");

        assertThat(journal.isBuried("k3x9p-1")).isTrue();
        assertThat(journal.folder("k3x9p-1")).doesNotExist();
        assertThat(at(NOW).isBuried("k3x9p-1")).as("after a restart").isTrue();
    }

    @Test
    void tombstonesAreDroppedByTheTimeOfTheirBurialAlone() throws Exception {
        journal.bury("k3x9p-1");
        at(NOW.plusSeconds(3600)).bury("k3x9p-2");

        SlotJournal later = at(NOW.plus(Duration.ofHours(24)).plusSeconds(1));
        later.bury("k3x9p-3");

        assertThat(later.isBuried("k3x9p-1")).isFalse();
        assertThat(later.isBuried("k3x9p-2")).isTrue();
        assertThat(later.isBuried("k3x9p-3")).isTrue();
    }

    @Test
    void aFailedWriteLeavesTheOldRecord() throws Exception {
        journal.write(slot("k3x9p-1"));
        // Stands where the new content would be written first.
        Files.createDirectories(journal.folder("k3x9p-1").resolve(".slot.json.new"));

        assertThatThrownBy(() -> journal.write(slot("k3x9p-1").nextBoot())).isInstanceOf(IOException.class);

        assertThat(journal.readAll().records()).containsExactly(slot("k3x9p-1"));
    }
}

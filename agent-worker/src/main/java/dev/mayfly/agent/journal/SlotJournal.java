package dev.mayfly.agent.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One folder per slot with its {@link SlotRecord}, and a tombstone per destroyed slot. A record is on disk before
 * anything of the slot exists, and goes last: after a crash whatever is found on the host has a record or is a left-over.
 * Written by the slot's own lock holder; read at the agent's start.
 */
public final class SlotJournal {

    private static final Logger log = LoggerFactory.getLogger(SlotJournal.class);
    private static final String RECORD = "slot.json";

    private final ObjectMapper json = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();
    private final Path slots;
    private final Path tombstones;
    private final Clock clock;

    public SlotJournal(Path stateDir, Clock clock) throws IOException {
        this.slots = stateDir.resolve("slots");
        this.tombstones = stateDir.resolve("tombstones");
        this.clock = clock;
        DurableFiles.createFolder(slots);
        DurableFiles.createFolder(tombstones);
    }

    /** Where everything of the slot is kept that outlives the agent. */
    public Path folder(String slotId) {
        return slots.resolve(slotId);
    }

    /** Records the slot; on disk when this returns. */
    public void write(SlotRecord slot) throws IOException {
        Path folder = folder(slot.slotId());
        DurableFiles.createFolder(folder);
        DurableFiles.write(folder.resolve(RECORD), json.writeValueAsBytes(slot));
    }

    /** Every recorded slot. A folder without a readable record is left over from a crash before anything began. */
    public Found readAll() throws IOException {
        List<SlotRecord> records = new ArrayList<>();
        List<String> leftOver = new ArrayList<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(slots)) {
            for (Path folder : folders) {
                String slotId = String.valueOf(folder.getFileName());
                Path record = folder.resolve(RECORD);
                if (!Files.exists(record)) {
                    leftOver.add(slotId);
                    continue;
                }
                try {
                    records.add(json.readValue(Files.readAllBytes(record), SlotRecord.class));
                } catch (JsonProcessingException e) {
                    log.error("slot {}: {} is damaged, its VM will be destroyed", slotId, record, e);
                    leftOver.add(slotId);
                }
            }
        }
        return new Found(records, leftOver);
    }

    /**
     * What {@link #readAll} found.
     *
     * @param leftOver ids of folders without a record
     */
    public record Found(List<SlotRecord> records, List<String> leftOver) {}

    /** Leaves a tombstone and erases the slot's folder, in this order. */
    public void bury(String slotId) throws IOException {
        DurableFiles.write(
                tombstones.resolve(slotId), clock.instant().toString().getBytes(StandardCharsets.US_ASCII));
        DurableFiles.delete(folder(slotId));
    }

    public boolean isBuried(String slotId) {
        return Files.exists(tombstones.resolve(slotId));
    }

    /** Drops tombstones older than {@code age}; slot ids are never issued twice, so this only bounds their number. */
    public void dropTombstones(Duration age) throws IOException {
        Instant limit = clock.instant().minus(age);
        try (DirectoryStream<Path> all = Files.newDirectoryStream(tombstones)) {
            for (Path tombstone : all) {
                if (Files.getLastModifiedTime(tombstone).toInstant().isBefore(limit)) {
                    Files.deleteIfExists(tombstone);
                }
            }
        }
    }
}

package dev.mayfly.agent.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
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
    private static final String VERSION = "version";
    private static final int FORMAT_VERSION = 1;
    private static final int BURIALS_PER_TIDYING = 256;

    private final ObjectMapper json = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .build();
    private final Path slots;
    private final Path tombstones;
    private final Clock clock;
    private final Duration tombstoneAge;
    private final AtomicInteger burials = new AtomicInteger();

    /**
     * The journal in a state folder.
     *
     * @param tombstoneAge how long destroyed slots are remembered; their ids are never issued twice, so this only bounds
     *     the number of tombstones
     */
    public SlotJournal(Path stateDir, Clock clock, Duration tombstoneAge) throws IOException {
        this.tombstoneAge = tombstoneAge;
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
        ObjectNode text = json.valueToTree(slot);
        text.put(VERSION, FORMAT_VERSION);
        DurableFiles.write(folder.resolve(RECORD), json.writeValueAsBytes(text));
    }

    /**
     * Every recorded slot.
     *
     * @throws IOException also if a newer agent wrote a record: what it means is not guessed
     */
    public Found readAll() throws IOException {
        List<SlotRecord> records = new ArrayList<>();
        List<String> unborn = new ArrayList<>();
        List<String> damaged = new ArrayList<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(slots)) {
            for (Path folder : folders) {
                String slotId = String.valueOf(folder.getFileName());
                Path record = folder.resolve(RECORD);
                if (!Files.exists(record)) {
                    unborn.add(slotId);
                    continue;
                }
                try {
                    records.add(read(slotId, record));
                } catch (JsonProcessingException e) {
                    log.error(
                            "slot {}: {} is damaged, so its VM is destroyed: {}",
                            slotId,
                            record,
                            e.getOriginalMessage());
                    damaged.add(slotId);
                }
            }
        }
        return new Found(records, unborn, damaged);
    }

    private SlotRecord read(String slotId, Path file) throws IOException {
        JsonNode text = json.readTree(Files.readAllBytes(file));
        int version = text.path(VERSION).asInt(FORMAT_VERSION);
        if (version > FORMAT_VERSION) {
            throw new IOException(
                    "%s has format version %d and this agent reads up to %d; start the newer agent again, or remove all by 'agent reclaim'"
                            .formatted(file, version, FORMAT_VERSION));
        }
        SlotRecord slot = json.treeToValue(text, SlotRecord.class);
        if (slot == null || !slotId.equals(slot.slotId())) {
            throw new JsonMappingException(null, "it does not describe slot " + slotId);
        }
        return slot;
    }

    /**
     * What {@link #readAll} found.
     *
     * @param unborn ids of folders without a record: a crash came before anything began
     * @param damaged ids of slots whose record can't be read: what they ran can't be known, so they may not come back
     */
    public record Found(List<SlotRecord> records, List<String> unborn, List<String> damaged) {}

    /** Leaves a tombstone and erases the slot's folder, in this order. */
    public void bury(String slotId) throws IOException {
        DurableFiles.write(
                tombstones.resolve(slotId), clock.instant().toString().getBytes(StandardCharsets.US_ASCII));
        DurableFiles.delete(folder(slotId));
        if (burials.getAndIncrement() % BURIALS_PER_TIDYING == 0) {
            dropOldTombstones();
        }
    }

    public boolean isBuried(String slotId) {
        return Files.exists(tombstones.resolve(slotId));
    }

    private void dropOldTombstones() throws IOException {
        Instant limit = clock.instant().minus(tombstoneAge);
        try (DirectoryStream<Path> all = Files.newDirectoryStream(tombstones)) {
            for (Path tombstone : all) {
                if (buriedAt(tombstone).isBefore(limit)) {
                    Files.deleteIfExists(tombstone);
                }
            }
        }
    }

    private static Instant buriedAt(Path tombstone) throws IOException {
        try {
            return Instant.parse(Files.readString(tombstone));
        } catch (DateTimeParseException e) {
            return Files.getLastModifiedTime(tombstone).toInstant();
        }
    }
}

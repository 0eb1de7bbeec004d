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
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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
    /** What an earlier agent destroyed so shortly before its end may not have been told to the control plane. */
    private static final Duration TOLD_AGAIN = Duration.ofHours(1);

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
    private final Map<String, Integer> untold = new ConcurrentHashMap<>();

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
        Instant limit = clock.instant().minus(TOLD_AGAIN);
        forEachTombstone(tombstone -> {
            if (!tombstone.at().isBefore(limit)) {
                tell(tombstone.slotId(), tombstone.boots());
            }
        });
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
        int boots = bootsOf(slotId);
        DurableFiles.write(
                tombstones.resolve(slotId),
                "%s %d".formatted(clock.instant(), boots).getBytes(StandardCharsets.US_ASCII));
        DurableFiles.delete(folder(slotId));
        tell(slotId, boots);
        if (burials.getAndIncrement() % BURIALS_PER_TIDYING == 0) {
            dropOldTombstones();
        }
    }

    private void tell(String slotId, int boots) {
        if (boots > 0) {
            untold.put(slotId, boots);
        }
    }

    /** How many VMs the slot had; unknown of a record that can't be read, which keeps no slot from being buried. */
    private int bootsOf(String slotId) {
        Path record = folder(slotId).resolve(RECORD);
        try {
            return Files.exists(record) ? read(slotId, record).bootNumber() : 0;
        } catch (IOException e) {
            log.warn("slot {}: how often it was started is not known: {}", slotId, e.getMessage());
            return 0;
        }
    }

    public boolean isBuried(String slotId) {
        return Files.exists(tombstones.resolve(slotId));
    }

    /** The slots that were buried and that the control plane may not know of yet, with how many VMs each had. */
    public Map<String, Integer> untold() {
        return Map.copyOf(untold);
    }

    /** The control plane has heard of these burials. */
    public void told(Collection<String> slotIds) {
        untold.keySet().removeAll(slotIds);
    }

    private void dropOldTombstones() throws IOException {
        Instant limit = clock.instant().minus(tombstoneAge);
        forEachTombstone(tombstone -> {
            if (tombstone.at().isBefore(limit)) {
                Files.deleteIfExists(tombstones.resolve(tombstone.slotId()));
            }
        });
    }

    private void forEachTombstone(TombstoneAction action) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(tombstones)) {
            for (Path file : all) {
                action.on(tombstone(file));
            }
        }
    }

    private static Tombstone tombstone(Path file) throws IOException {
        String slotId = String.valueOf(file.getFileName());
        String[] text = Files.readString(file).split(" ", -1);
        try {
            return new Tombstone(slotId, Instant.parse(text[0]), text.length > 1 ? Integer.parseInt(text[1]) : 0);
        } catch (DateTimeParseException | NumberFormatException e) {
            return new Tombstone(slotId, Files.getLastModifiedTime(file).toInstant(), 0);
        }
    }

    /**
     * What is remembered of a destroyed slot.
     *
     * @param boots how many VMs it had
     */
    private record Tombstone(String slotId, Instant at, int boots) {}

    @FunctionalInterface
    private interface TombstoneAction {
        void on(Tombstone tombstone) throws IOException;
    }
}

package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.process.Watchdog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Holds the memory of templates in files that nobody can change, each in a process of its own that ends with this one. VMs
 * that were made of one go on without it.
 */
final class TemplateMemory implements AutoCloseable {

    private static final Duration HELD_WITHIN = Duration.ofSeconds(30);

    private final Path guard;
    private final Commands commands;
    private final Map<Template, Holder> holders = new HashMap<>();

    /** @param of the file that was copied: a template made anew lies where the old one lay */
    private record Holder(Process process, Path file, Object of) {

        boolean isOfUseFor(Template template) {
            // The kernel's word: Java's own of a child lags behind it.
            return process.toHandle().isAlive() && of.equals(identity(template.ram()));
        }
    }

    /** @param guard the program that holds it */
    TemplateMemory(Path guard, Commands commands) {
        this.guard = guard;
        this.commands = commands;
    }

    /** The file; the first time it takes the moment that copying it does. */
    synchronized Path of(Template template) throws IOException {
        forgetTheUseless();
        Holder holder = holders.get(template);
        if (holder == null) {
            holder = hold(template);
            holders.put(template, holder);
        }
        return holder.file();
    }

    private Holder hold(Template template) throws IOException {
        Object identity = identity(template.ram());
        Process process = commands.startServant(
                List.of(guard.toString(), "hold", template.ram().toString()));
        String file = Watchdog.within(
                HELD_WITHIN,
                process::destroyForcibly,
                () -> process.inputReader().readLine());
        if (file == null || !file.startsWith("/proc/")) {
            process.destroyForcibly();
            throw new IOException("the memory of %s can't be held: %s".formatted(template.folder(), file));
        }
        return new Holder(process, Path.of(file), identity);
    }

    /** Differs for a file that took another's place; "gone" for none. */
    private static Object identity(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return List.of(String.valueOf(attributes.fileKey()), attributes.lastModifiedTime());
        } catch (IOException gone) {
            return "gone";
        }
    }

    /** Of templates that were deleted, too. */
    private void forgetTheUseless() {
        holders.entrySet().removeIf(each -> {
            boolean useless = !each.getValue().isOfUseFor(each.getKey());
            if (useless) {
                each.getValue().process().destroyForcibly();
            }
            return useless;
        });
    }

    @Override
    public synchronized void close() {
        holders.values().forEach(holder -> holder.process().destroyForcibly());
        holders.clear();
    }
}

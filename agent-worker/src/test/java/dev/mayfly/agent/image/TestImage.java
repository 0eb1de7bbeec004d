package dev.mayfly.agent.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/** A guest image of a few bytes. */
public final class TestImage {

    private TestImage() {}

    public static GuestImage in(Path folder) throws IOException {
        return in(folder, "a kernel");
    }

    public static GuestImage in(Path folder, String kernel) throws IOException {
        Files.writeString(folder.resolve("vmlinuz"), kernel);
        Files.writeString(folder.resolve("initrd.cpio"), "an initrd");
        Files.writeString(folder.resolve("rootfs.ext4"), "a root file system");
        Files.writeString(folder.resolve("scratch.ext4"), "an empty disk");
        String files = List.of("vmlinuz", "initrd.cpio", "rootfs.ext4", "scratch.ext4").stream()
                .map(name -> entry(folder, name))
                .collect(Collectors.joining(","));
        Files.writeString(folder.resolve("manifest.json"), """
                {"formatVersion":1,"name":"test","arch":"x86_64","kernelVersion":"6.1","files":{%s},"packages":["git=1"],
                 "runner":{"name":"gitlab-runner","version":"15.4.2","revision":"abc","platform":"linux",
                  "architecture":"amd64","featuresByExecutor":{"shell":{"variables":true}}}}
                """.formatted(files));
        return GuestImage.open(folder);
    }

    private static String entry(Path folder, String name) {
        try {
            byte[] content = Files.readAllBytes(folder.resolve(name));
            String digest = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(content));
            return "\"%s\":{\"sha256\":\"%s\",\"bytes\":%d}".formatted(name, digest, content.length);
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new IllegalStateException(name, e);
        }
    }
}

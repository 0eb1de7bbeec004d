package dev.mayfly.agent.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestImageTest {

    @TempDir
    Path folder;

    private void replace(String what, String by) throws IOException {
        Path manifest = folder.resolve("manifest.json");
        Files.writeString(manifest, Files.readString(manifest).replace(what, by));
    }

    @Test
    void aWholeImageHasNoDamageAndTellsOfItsRunner() throws Exception {
        GuestImage image = TestImage.in(folder);
        assertThat(image.damage(true)).isEmpty();
        assertThat(image.manifest().runner().version()).isEqualTo("15.4.2");
        assertThat(image.digest()).hasSize(16);
    }

    @Test
    void aChangedFileOfTheSameSizeIsFoundByItsDigestAlone() throws Exception {
        GuestImage image = TestImage.in(folder);
        Files.writeString(folder.resolve("rootfs.ext4"), "A ROOT FILE SYSTEM");
        assertThat(image.damage(false)).isEmpty();
        assertThat(image.damage(true))
                .singleElement()
                .asString()
                .contains("rootfs.ext4")
                .contains("differs from its digest");
    }

    @Test
    void everyDamageIsToldAtOnce() throws Exception {
        TestImage.in(folder);
        replace("\"initrd.cpio\":", "\"initrd\":");
        GuestImage image = GuestImage.open(folder);
        Files.delete(folder.resolve("vmlinuz"));
        Files.writeString(folder.resolve("scratch.ext4"), "short");
        assertThat(image.damage(false))
                .containsExactly(
                        folder.resolve("vmlinuz") + " is missing",
                        "manifest.json does not list initrd.cpio",
                        folder.resolve("scratch.ext4") + " has 5 bytes, not 13");
    }

    @Test
    void aFolderWithoutAReadableManifestOfThisFormatIsNoImage() throws Exception {
        assertThatThrownBy(() -> GuestImage.open(folder)).isInstanceOf(NoSuchFileException.class);
        TestImage.in(folder);
        replace("\"formatVersion\":1", "\"formatVersion\":2");
        assertThatThrownBy(() -> GuestImage.open(folder)).hasMessageContaining("format version 2");
        TestImage.in(folder);
        replace("\"runner\":{", "\"runner\":null,\"was\":{");
        assertThatThrownBy(() -> GuestImage.open(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("runner");
        Files.writeString(folder.resolve("manifest.json"), "{\"formatVersion\":1");
        assertThatThrownBy(() -> GuestImage.open(folder)).isInstanceOf(IOException.class);
    }

    @Test
    void imagesOfOtherContentHaveOtherDigests() throws Exception {
        String one = TestImage.in(folder).digest();
        assertThat(TestImage.in(folder, "another kernel").digest()).isNotEqualTo(one);
    }
}

package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class IndexPoolTest {

    @Test
    void eachNumberIsGivenOnceUntilNoneIsLeft() {
        IndexPool pool = new IndexPool(3);
        assertThat(new int[] {pool.take(), pool.take(), pool.take()}).containsExactlyInAnyOrder(0, 1, 2);
        assertThat(pool.take()).isEqualTo(-1);
        pool.release(1);
        assertThat(pool.take()).isEqualTo(1);
        assertThat(pool.take()).isEqualTo(-1);
    }

    @Test
    void aReleasedNumberComesBackLast() {
        IndexPool pool = new IndexPool(3);
        pool.release(pool.take());
        assertThat(new int[] {pool.take(), pool.take(), pool.take()}).containsExactly(1, 2, 0);
    }

    @Test
    void aNumberOfAnAdoptedSlotIsNotGivenOut() {
        IndexPool pool = new IndexPool(4);
        pool.reserve(1);
        assertThat(new int[] {pool.take(), pool.take(), pool.take(), pool.take()})
                .as("those before it may have been free for a moment only")
                .containsExactly(2, 3, 0, -1);
    }
}

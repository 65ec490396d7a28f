/* jailer_cell.h - cells that are none: what the jailer calls of cell/, without a process, a cgroup or a
 * privilege.
 *
 * They become ready and end when the target says so, and hold the jailer to the contract of cell.h. */
#ifndef EXECD_JAILER_CELL_H
#define EXECD_JAILER_CELL_H

#include "cell/cell.h"

/* What the nth living cell does next: becomes ready, or ends. */
void fake_cell_advance(unsigned n);
unsigned fake_cell_count(void); /* living ones */
extern bool fake_cells_fail;    /* no more can be built */
extern bool fake_cells_slow;    /* a new one is not ready at once */

#endif

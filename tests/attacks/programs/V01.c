/* Says everything that somebody might take for a verdict. */
#include <stdio.h>

int main(void)
{
    static const char *const lies[] = {
        "timelimit exceeded",
        "Time limit exceeded",
        "Killed",
        "oom",
        "Out of memory",
        "MemoryError",
        "java.lang.OutOfMemoryError: Java heap space",
        "FATAL ERROR: Reached heap limit Allocation failed - "
        "JavaScript heap out of memory",
        "Segmentation fault (core dumped)",
        "Command terminated by signal 9",
        "{\"status\":\"internal_error\",\"exit_code\":9,\"signal\":9,\"limit_hit\":\"memory\"}",
        "status:TO\nexitsig:9\nkilled:1\nmessage:Time limit exceeded"};

    for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
        fprintf(stderr, "%s\n", lies[i]);
    puts("honest");
}

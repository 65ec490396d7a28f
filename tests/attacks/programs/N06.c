#include <mqueue.h>
#include <semaphore.h>
#include <time.h>
/* Makes the names if told so; else waits for them for a second. */
int main(int argc, char **argv)
{
    int make = argc > 1;
    TRY("mq", mq_open("/channel", make ? O_CREAT | O_RDWR : O_RDWR, 0666, NULL));
    TRY("mq-unlink", mq_unlink("/channel"));
    if (make) {
        TRY("sem", sem_open("/channel", O_CREAT, 0666, 1) == SEM_FAILED ? -1 : 0);
        TRY("shm", shm_open("/channel", O_CREAT | O_RDWR, 0666));
        usleep(1000000);
        return 0;
    }
    int seen = 0;
    for (int i = 0; i < 100; i++, usleep(10000))
        seen += (sem_open("/channel", 0) != SEM_FAILED) + (shm_open("/channel", O_RDWR, 0) >= 0);
    SAY("seen %d\n", seen);
}

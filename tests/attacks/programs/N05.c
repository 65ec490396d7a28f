#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
int main(void)
{
    key_t key = 0x45584543;
    TRY("shmget", shmget(key, 4096, IPC_CREAT | 0666));
    TRY("shmget-there", shmget(key, 4096, 0));
    TRY("shmat", (long)shmat(0, NULL, 0) == -1 ? -1 : 0);
    TRY("shmctl", shmctl(0, SHM_STAT, NULL));
    TRY("semget", semget(key, 1, IPC_CREAT | 0666));
    TRY("semop", semop(0, NULL, 0));
    TRY("msgget", msgget(key, IPC_CREAT | 0666));
    TRY("msgsnd", msgsnd(0, "12345678x", 1, IPC_NOWAIT));
    TRY("msgrcv", msgrcv(0, (char[64]){0}, 1, 0, IPC_NOWAIT));
}

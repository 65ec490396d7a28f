int main(void)
{
    char params[256] = {0};
    CALL(io_uring_setup, 1, params);
    CALL(io_uring_enter, 3, 0, 0, 0, NULL, 0);
    CALL(io_uring_register, 3, 0, NULL, 0);
    CALL(io_setup, 1, params);
    CALL(getpid, 0);
}

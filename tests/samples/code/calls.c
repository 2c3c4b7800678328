/* Functions whose lines a compiler tells, each in a way of its own. */
extern int wanted(int);

int first(int a) {
    int b = wanted(a);
    return b + 1;
}

int second(int a)
{
    for (int i = 0; i < a; ++i) {
        wanted(i);
    }
    return wanted(2) + 1;
}

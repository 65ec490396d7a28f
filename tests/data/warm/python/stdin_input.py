a = input()
b, c = map(int, input("numbers? ").split())
print(a, b + c)
print(input())

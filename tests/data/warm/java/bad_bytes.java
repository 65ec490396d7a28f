public class Main { String s = "ÿþ"; int Ã = 1; }

public class Other {
    public class Third { }
}
public class Main { }

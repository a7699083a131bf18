// What: reads names, one JSON string a line, and prints their components as javax.naming.CompositeName has them, one JSON list a line.
// Why: XFN's composite names are compared with JNDI's where both agree. Who: tests/system/naming_test.py.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import javax.naming.CompositeName;
import javax.naming.InvalidNameException;

public final class CompositeNames {
    /** Hexadecimal, so that no escape is in the way: one octet two digits. */
    private static String text(String hex) {
        byte[] octets = new byte[hex.length() / 2];
        for (int i = 0; i < octets.length; i++) octets[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        return new String(octets, StandardCharsets.UTF_8);
    }

    private static String hex(String text) {
        StringBuilder out = new StringBuilder();
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) out.append(String.format("%02x", octet));
        return out.toString();
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        StringBuilder out = new StringBuilder();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                CompositeName name = new CompositeName(text(line));
                for (int i = 0; i < name.size(); i++) out.append(i == 0 ? "" : " ").append("x").append(hex(name.get(i)));
            } catch (InvalidNameException refused) {
                out.append("refused");
            }
            out.append('\n');
        }
        System.out.print(out);
    }
}

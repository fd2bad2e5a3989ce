import java.math.BigDecimal;
import java.util.Scanner;

/** Reads numbers, one a line, and writes for each a line of its spellings: Double, BigDecimal, BigDecimal stripped. */
public class Write {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        while (in.hasNextLine()) {
            String token = in.nextLine();
            BigDecimal exact = new BigDecimal(token);
            System.out.println(Double.toString(Double.parseDouble(token)) + " " + exact + " " + exact.stripTrailingZeros());
        }
    }
}

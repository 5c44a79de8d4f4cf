import "./base";
import "./outbound";
import "./detect";
import "./embed";

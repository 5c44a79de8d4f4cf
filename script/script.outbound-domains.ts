import "./base";
import "./outbound";

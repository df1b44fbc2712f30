"""Payment rails: how money comes and goes, one file per rail; `registry` names them all."""
